"""``weighbridge status`` for people and for programs."""

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from cli.main import main
from schemas.progress import BatchProgress
from worker.telemetry import status
from worker.telemetry.registry import WorkerReport
from worker.telemetry.server_state import ServerState

from ..worker.telemetry.exposition import STATE

REPORT = WorkerReport(
    pid=7, host="node-1", queues=("sizing",), processes=4, stream_processes=2, since=1000, seen=1290, versions={}
)
BATCH = BatchProgress(
    batch="20261126-000000-aaaaaa",
    catalog="c.yaml",
    state="running",
    total=500,
    done=100,
    errors=11,
    verdicts={"fits": 60, "tight": 10, "does_not_fit": 9, "unsupported": 10},
    cells_per_second=50.0,
    seconds=2,
    seconds_left=8,
    at=1299,
)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server in which no two figures are the same."""
    tell(monkeypatch, STATE, {"alpha": REPORT})


def tell(monkeypatch: pytest.MonkeyPatch, state: ServerState, workers: dict[str, WorkerReport]) -> None:
    """Makes the command read ``state``."""
    monkeypatch.setenv("WEIGHBRIDGE_REDIS_URL", "redis://:hunter2@queue:6379/0")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(
        status, "read_status", lambda *_: status.Status(now=1300, server=state, workers=workers, batches=[BATCH])
    )


@pytest.mark.usefixtures("told")
def test_table_has_every_figure() -> None:
    """Queues, ages, streams, groups, letters and workers are told, the password is not."""
    ran = CliRunner().invoke(main, ["status"])
    assert ran.exit_code == 0
    for words in (
        "redis://:**@queue:6379/0, keys weighbridge:*",
        "30%",
        "closed: memory",
        "3 waiting, the next since 7 s",
        "2 messages; the oldest open message was sent 9 s ago",
        "5 entries",
        "workers: 4 not acknowledged, 1 not read, 2 consumers",
        "6 entries",
        "scheduler: 2 not acknowledged, 3 not read, 1 consumers",
        "4 processes serve sizing and 2 the stream",
        "node-1, process 7, for 5 min",
        "has not answered a health check yet",
        "100 of 500 cells, 11 errors",
        "c.yaml, running at 50 cells a second, 8 s left",
    ):
        assert words in ran.output, words
    assert "hunter2" not in ran.output


@pytest.mark.usefixtures("told")
def test_json_is_one_object_with_the_same() -> None:
    """A program reads it in one go."""
    ran = CliRunner().invoke(main, ["status", "--json"])
    assert ran.exit_code == 0
    read = json.loads(ran.output)
    assert read["server"] == "redis://:**@queue:6379/0"
    assert read["memory_fraction"] == 0.3
    assert read["queues"][0] == {"queue": "sizing", "messages": 3, "oldest_seconds": 7}
    assert read["workers"]["alpha"]["stream_processes"] == 2
    assert read["batches"] == [BATCH.model_dump(mode="json")]


def test_batch_that_nobody_runs_any_more_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever ran it was killed, and could not say so."""
    tell(monkeypatch, STATE, {})
    monkeypatch.setattr(
        status,
        "read_status",
        lambda *_: status.Status(now=1360, server=STATE, workers={}, batches=[BATCH]),
    )
    assert "c.yaml, not heard of for 61 s" in CliRunner().invoke(main, ["status"]).output


def test_quiet_service_without_workers_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open intake and the lack of workers are told; no limit is no share."""
    tell(monkeypatch, replace(STATE, intake_closed=None, max_memory_bytes=0, oldest_open_seconds=None), {})
    output = CliRunner().invoke(main, ["status"]).output
    assert "open" in output
    assert "no limit" in output
    assert "none" in output


def test_server_that_is_away_is_exit_status_3(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing listens on port 1."""
    monkeypatch.setenv("WEIGHBRIDGE_REDIS_URL", "redis://:hunter2@127.0.0.1:1/0")
    ran = CliRunner().invoke(main, ["status"])
    assert ran.exit_code == 3
    assert "hunter2" not in ran.output
