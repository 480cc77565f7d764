"""What is made of when a worker last answered."""

import time
from pathlib import Path

import pytest

from worker.settings import Settings
from worker.telemetry.observed import _unhealthy
from worker.telemetry.pulse import LATELY_SECONDS, Pulse
from worker.telemetry.pulses import Pulses

from .exposition import an_answer, an_error


@pytest.fixture
def pulse(tmp_path: Path) -> Pulse:
    """That of a worker that has not answered yet."""
    return Pulse(Settings(home=tmp_path), "redis://127.0.0.1:1/0")


def test_worker_is_neither_ready_nor_healthy_before_its_first_answer(pulse: Pulse) -> None:
    """An error, or what is no answer, is none."""
    pulse.take(an_error().model_dump_json())
    pulse.take("garbage")
    assert (pulse.age_seconds, pulse.versions, pulse.is_ready, pulse.is_healthy) == (None, None, False, False)
    assert _unhealthy(Pulses([pulse]))


def test_worker_that_is_busy_is_healthy_for_as_long_as_it_may_be_busy(
    pulse: Pulse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readiness ends soon; health only when even the slowest requests would be done."""
    pulse.take(an_answer().model_dump_json())
    assert (pulse.is_ready, pulse.is_healthy, _unhealthy(Pulses([pulse]))) == (True, True, None)
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + LATELY_SECONDS + 1)
    assert (pulse.is_ready, pulse.is_healthy) == (False, True)
    monkeypatch.setattr(time, "monotonic", lambda: now + pulse.longest_wait_seconds + 1)
    assert (pulse.is_ready, pulse.is_healthy) == (False, False)


def test_worker_is_not_blamed_for_a_server_that_is_away(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    """While nothing can be asked of it, a worker that was healthy stays so; it is not ready."""
    pulse.take(an_answer().model_dump_json())
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + pulse.longest_wait_seconds + 1)
    pulse.server_away()
    assert (pulse.is_ready, pulse.is_healthy) == (False, True)


def test_workers_side_by_side_are_as_well_as_the_worst(pulse: Pulse, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is silent makes all of them unready, and in time unhealthy; the age told is its."""
    silent = Pulse(Settings(), "redis://127.0.0.1:1/0")
    both = Pulses([pulse, silent])
    pulse.take(an_answer().model_dump_json())
    assert (both.is_ready, both.is_healthy, both.age_seconds) == (False, False, None)
    now = time.monotonic()
    silent.take(an_answer().model_dump_json())
    assert (both.is_ready, both.is_healthy) == (True, True)
    monkeypatch.setattr(time, "monotonic", lambda: now + LATELY_SECONDS + 1)
    pulse.take(an_answer().model_dump_json())
    assert (both.is_ready, both.is_healthy) == (False, True)
    assert both.age_seconds is not None
    assert both.age_seconds > LATELY_SECONDS
