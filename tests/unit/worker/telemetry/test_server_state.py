"""What is read of a server, and who is said to work."""

import json

import pytest
from fakeredis import FakeRedis

from worker.keys import Keys
from worker.telemetry.registry import STALE_SECONDS, Registry, WorkerReport
from worker.telemetry.server_state import _reason

KEYS = Keys(prefix="weighbridge:")


@pytest.mark.parametrize(
    ("note", "reason"),
    [("", None), ('{"reason": "memory", "since": 1}', "memory"), ("closed", "unknown"), ("[]", "unknown")],
)
def test_intake_is_closed_for_the_reason_its_note_has(note: str, reason: str | None) -> None:
    """A note that another version wrote closes the intake all the same."""
    assert _reason(note) == reason


def test_workers_are_listed_until_they_are_not_heard_of(redis: FakeRedis) -> None:
    """A report is read back as it was; one that is a minute old is left out, and struck out by the next report."""
    registry = Registry(redis=redis, keys=KEYS)
    now = registry.now()
    report = WorkerReport(queues=("sizing",), processes=2, since=now, seen=now, versions={"rules": "sha256:1"})
    registry.report("old", WorkerReport(queues=("sizing",), processes=1, seen=now - STALE_SECONDS - 1))
    redis.hset(KEYS.workers, "garbage", "{")
    redis.hset(KEYS.workers, "newer", json.dumps({**json.loads('{"queues": [], "processes": 1}'), "seen": now, "x": 1}))
    assert set(registry.workers()) == {"newer"}
    registry.report("alpha", report)
    assert registry.workers()["alpha"].queues == ("sizing",) or registry.workers()["alpha"].queues == ["sizing"]
    assert registry.workers()["alpha"].versions == {"rules": "sha256:1"}
    assert set(redis.hkeys(KEYS.workers)) == {"alpha", "newer"}
    registry.leave("alpha")
    assert set(registry.workers()) == {"newer"}
