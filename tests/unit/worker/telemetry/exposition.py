"""The whole of what a worker exposes, made without a server."""

import re

from prometheus_client import CollectorRegistry, generate_latest

from rules import recommend
from rules.reload_status import ReloadStatus
from schemas.errors import InvalidRequestError
from schemas.recommendation import ErrorAnswer, Recommendation
from worker.answering import WARM_UP_REQUEST
from worker.settings import Settings
from worker.telemetry.exposition import ServerMetrics, WorkerMetrics
from worker.telemetry.pulse import Pulse
from worker.telemetry.pulses import Pulses
from worker.telemetry.request_metrics import RequestMetrics
from worker.telemetry.server_state import Backlog, ConsumerGroup, ServerState

STATE = ServerState(
    used_memory_bytes=300,
    max_memory_bytes=1000,
    intake_closed="memory",
    queues=[
        Backlog(queue="sizing", messages=3, oldest_seconds=7),
        Backlog(queue="sizing.batch", messages=0, oldest_seconds=None),
    ],
    unacked_messages=2,
    oldest_open_seconds=9,
    requests_entries=5,
    requests_groups=[ConsumerGroup(name="workers", consumers=2, pending=4, lag=1)],
    results_entries=6,
    results_groups=[ConsumerGroup(name="scheduler", consumers=1, pending=2, lag=3)],
    dead_letters=8,
)
"""A server in which no two figures are the same."""


def an_answer() -> Recommendation:
    """A good answer."""
    answer = recommend.answer({**WARM_UP_REQUEST, "request_id": "one"})
    assert isinstance(answer, Recommendation)
    return answer


def an_error() -> ErrorAnswer:
    """An answer to a bad request."""
    return ErrorAnswer.of("two", InvalidRequestError("model: missing", field="model"))


def everything(settings: Settings, state: ServerState = STATE) -> str:
    """What is exposed when everything there is to tell is told."""
    registry = CollectorRegistry()
    counted = RequestMetrics(registry)
    counted.answered(an_answer())
    counted.answered(an_error())
    counted.took("publish", 0.002)
    pulse = Pulse(settings, "redis://127.0.0.1:1/0")
    pulse.take(an_answer().model_dump_json())
    settings.rules_home.mkdir(parents=True)
    ReloadStatus(
        folder="/rules",
        in_force="abc",
        version="sha256:abc",
        rules=1,
        in_force_since="2026-01-01T00:00:00+00:00",
        broken="why",
        broken_since="2026-01-01T00:00:00+00:00",
        reloads=11,
        failures=12,
    ).write(settings.rules_home)
    registry.register(ServerMetrics(lambda: state))
    registry.register(WorkerMetrics(settings.rules_home, Pulses([pulse])))
    return generate_latest(registry).decode()


def metric_names(exposition: str) -> set[str]:
    """The names of its metrics: of a histogram that of the whole."""
    names = re.findall(r"^# TYPE (\S+) ", exposition, re.MULTILINE)
    # When each counter was made is told only where no pool counts together.
    return {name for name in names if not name.endswith("_created")}


def sample(exposition: str, of: str) -> float:
    """The value of the sample written ``of``, labels included."""
    found = re.search(rf"^{re.escape(of)} (\S+)$", exposition, re.MULTILINE)
    assert found, f"{of} is not in\n{exposition}"
    return float(found.group(1))
