"""What is counted, and in which figures a server's state is told."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from redis.exceptions import ConnectionError as ServerAwayError

from worker.settings import Settings
from worker.telemetry.exposition import ServerMetrics
from worker.telemetry.server_state import ServerState

from .exposition import STATE, everything, metric_names, sample


@pytest.fixture
def exposition(tmp_path: Path) -> str:
    """Everything a worker exposes."""
    return everything(Settings(home=tmp_path))


def test_requests_are_counted_by_verdict_and_errors_by_code(exposition: str) -> None:
    """A good answer counts for its verdict and has no code; an error has its code."""
    assert sample(exposition, 'weighbridge_requests_total{code="",verdict="fits"}') == 1
    assert sample(exposition, 'weighbridge_requests_total{code="",verdict="tight"}') == 0
    assert sample(exposition, 'weighbridge_requests_total{code="invalid_request",verdict="error"}') == 1
    assert sample(exposition, 'weighbridge_stage_seconds_count{stage="publish"}') == 1
    assert sample(exposition, 'weighbridge_stage_seconds_bucket{le="0.001",stage="publish"}') == 0
    assert sample(exposition, 'weighbridge_stage_seconds_bucket{le="0.0025",stage="publish"}') == 1


def test_every_figure_of_the_server_is_told_once_and_as_itself(exposition: str) -> None:
    """No two figures of the state are exchanged."""
    told = {
        'weighbridge_queue_messages{queue="sizing"}': 3,
        'weighbridge_queue_messages{queue="sizing.batch"}': 0,
        'weighbridge_queue_oldest_seconds{queue="sizing"}': 7,
        "weighbridge_unacked_messages": 2,
        "weighbridge_oldest_open_seconds": 9,
        "weighbridge_requests_stream_entries": 5,
        "weighbridge_requests_stream_pending": 4,
        "weighbridge_results_stream_entries": 6,
        'weighbridge_results_group_lag{group="scheduler"}': 5,
        "weighbridge_dead_letters": 8,
        'weighbridge_intake_closed{reason="memory"}': 1,
        "weighbridge_redis_memory_bytes": 300,
        "weighbridge_redis_memory_fraction": 0.3,
        "weighbridge_redis_up": 1,
        "weighbridge_rule_reloads_total": 11,
        "weighbridge_rule_reload_failures_total": 12,
        "weighbridge_rules_broken": 1,
    }
    assert {name: sample(exposition, name) for name in told} == told


def test_open_intake_is_told_without_a_reason() -> None:
    """While requests are taken the figure is 0, so that an alert has something to compare."""
    registry = CollectorRegistry()
    registry.register(ServerMetrics(lambda: replace(STATE, intake_closed=None, max_memory_bytes=0)))
    exposition = generate_latest(registry).decode()
    assert sample(exposition, 'weighbridge_intake_closed{reason=""}') == 0
    assert "redis_memory_fraction" not in exposition


def test_server_that_is_away_has_no_figures() -> None:
    """Old figures are not told again: only that the server does not answer."""

    def look() -> ServerState:
        raise ServerAwayError

    registry = CollectorRegistry()
    registry.register(ServerMetrics(look))
    exposition = generate_latest(registry).decode()
    assert metric_names(exposition) == {"weighbridge_redis_up"}
    assert sample(exposition, "weighbridge_redis_up") == 0


COUNTS_IN_A_POOL = """
import sys
from pathlib import Path
from billiard import current_process, get_context
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from worker.telemetry.request_metrics import RequestMetrics, count_together

folder = Path(sys.argv[1])
count_together(folder)
metrics = RequestMetrics()

def work(index):
    current_process().index = index
    metrics.repeated(1)
    metrics.took("encode", 0.5)

# Two places, each taken by three processes one after the other.
for index in (0, 1, 0, 1, 0, 1):
    process = get_context("fork").Process(target=work, args=(index,))
    process.start()
    process.join()
    assert process.exitcode == 0
registry = CollectorRegistry()
MultiProcessCollector(registry, path=str(folder))
print(generate_latest(registry).decode())
print(*sorted(path.name.partition("_")[0] for path in folder.iterdir()))
"""


def test_processes_of_a_pool_count_in_one_file_a_place(tmp_path: Path) -> None:
    """What ended processes counted stays, and exchanging them makes no more files to add up."""
    ran = subprocess.run(
        [sys.executable, "-c", COUNTS_IN_A_POOL, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert sample(ran.stdout, "weighbridge_repeated_requests_total") == 6
    assert sample(ran.stdout, 'weighbridge_stage_seconds_count{stage="encode"}') == 6
    assert ran.stdout.splitlines()[-1] == "counter counter counter histogram histogram histogram"
