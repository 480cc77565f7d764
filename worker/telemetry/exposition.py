"""What Prometheus is told: what the worker's processes counted, and what the server says when it is asked."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from rules.reload_status import read_status

from ..keys import Keys
from ..settings import QUEUES, Settings
from .pulses import Pulses
from .server_state import ServerState, read_server_state

if TYPE_CHECKING:
    from redis import Redis


def exposed(settings: Settings, redis: "Redis", pulse: Pulses) -> CollectorRegistry:
    """Everything a worker's ``/metrics`` has; the server is read at each scrape."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.metrics_home))  # type: ignore[no-untyped-call]
    keys = Keys(prefix=settings.key_prefix)
    registry.register(ServerMetrics(lambda: read_server_state(redis, keys, QUEUES)))
    registry.register(WorkerMetrics(settings.rules_home, pulse))
    return registry


class ServerMetrics(Collector):
    """What lies on the server: the same from every worker that has the server."""

    def __init__(self, look: Callable[[], ServerState]) -> None:
        self._look = look

    def describe(self) -> list[Metric]:
        """Nothing: the server is not asked before it is scraped."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The figures of this moment; only that the server is away, while it is."""
        try:
            state = self._look()
        except RedisError:
            yield _gauge("redis_up", "Whether the server answers: 1 or 0.", 0)
            return
        yield _gauge("redis_up", "Whether the server answers: 1 or 0.", 1)
        yield from _of_queues(state)
        yield _gauge("unacked_messages", "Messages that workers hold.", state.unacked_messages)
        yield _gauge(
            "oldest_open_seconds",
            "Seconds since the oldest message was sent that waits or is held; 0 where there is none.",
            state.oldest_open_seconds or 0,
        )
        yield _gauge("requests_stream_entries", "Entries of the stream of requests.", state.requests_entries)
        yield _gauge(
            "requests_stream_pending",
            "Entries of the stream of requests that are delivered and not acknowledged.",
            state.requests_pending,
        )
        yield _gauge("results_stream_entries", "Entries of the stream of results.", state.results_entries)
        yield from _of_readers(state)
        yield _gauge("dead_letters", "Dead letters kept.", state.dead_letters)
        closed = GaugeMetricFamily(
            "weighbridge_intake_closed",
            "1, by the reason, while no new requests are taken; 0 without a reason while they are.",
            labels=["reason"],
        )
        closed.add_metric([state.intake_closed or ""], state.intake_closed is not None)
        yield closed
        yield _gauge("redis_memory_bytes", "Bytes the server uses.", state.used_memory_bytes)
        if (fraction := state.memory_fraction) is not None:
            yield _gauge("redis_memory_fraction", "Share of the server's maxmemory in use.", fraction)


class WorkerMetrics(Collector):
    """What the worker's supervisor knows of it."""

    def __init__(self, rules_home: Path, pulse: Pulses) -> None:
        self._rules_home = rules_home
        self._pulse = pulse

    def describe(self) -> list[Metric]:
        """Nothing, as above."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Pulse, versions and reloads."""
        if (age := self._pulse.age_seconds) is not None:
            yield _gauge("heartbeat_age_seconds", "Seconds since the worker answered a health check.", age)
        if (versions := self._pulse.versions) is not None:
            info = GaugeMetricFamily(
                "weighbridge_rules_info",
                "1, with the versions that answers are given by.",
                labels=["version", "catalog", "weighbridge"],
            )
            info.add_metric([versions.rules, versions.catalog, versions.weighbridge], 1)
            yield info
        if (status := read_status(self._rules_home)) is not None:
            yield CounterMetricFamily(
                "weighbridge_rule_reloads", "Times a changed folder of rules came into force.", value=status.reloads
            )
            yield CounterMetricFamily(
                "weighbridge_rule_reload_failures",
                "Times a changed folder of rules was refused.",
                value=status.failures,
            )
            yield _gauge(
                "rules_broken", "Whether the site's folder is not what is in force: 1 or 0.", status.broken is not None
            )


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"weighbridge_{name}", told, value=value)


def _of_queues(state: ServerState) -> Iterator[Metric]:
    waiting = GaugeMetricFamily("weighbridge_queue_messages", "Messages that wait in a queue.", labels=["queue"])
    oldest = GaugeMetricFamily(
        "weighbridge_queue_oldest_seconds",
        "Seconds since the message was sent that is next in a queue; 0 where none waits.",
        labels=["queue"],
    )
    for queue in state.queues:
        waiting.add_metric([queue.queue], queue.messages)
        oldest.add_metric([queue.queue], queue.oldest_seconds or 0)
    yield waiting
    yield oldest


def _of_readers(state: ServerState) -> Iterator[Metric]:
    lag = GaugeMetricFamily(
        "weighbridge_results_group_lag",
        "Results that a consumer group has not read or not acknowledged.",
        labels=["group"],
    )
    for group in state.results_groups:
        lag.add_metric([group.name], group.pending + (group.lag or 0))
    yield lag
