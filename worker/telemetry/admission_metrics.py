"""What the HTTP front door of admission counts: decisions, and seconds by where it was asked."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from schemas.decision import Decision

from .endpoint import Page, metrics_page
from .request_metrics import BOUNDS_SECONDS


class AdmissionMetrics:
    """The counters of one front door."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._decisions = Counter(
            "weighbridge_admission_decisions",
            "Objects decided on, by what was found, the mode, and whether they were let in.",
            ["code", "reason", "mode", "allowed"],
            registry=self._registry,
        )
        self._seconds = Histogram(
            "weighbridge_admission_seconds",
            "Seconds from a call to its answer, by path and status.",
            ["path", "status"],
            buckets=BOUNDS_SECONDS,
            registry=self._registry,
        )
        self._waiting = Gauge(
            "weighbridge_admission_waiting", "Calls that wait to be weighed, or are.", registry=self._registry
        )

    @property
    def page(self) -> Page:
        """All of it, as Prometheus is told."""
        return metrics_page(self._registry)

    def decided(self, decision: Decision) -> None:
        """Counts a decision."""
        allowed = str(decision.allowed).lower()
        self._decisions.labels(decision.code, decision.reason, decision.mode, allowed).inc()

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Counts a call to one of the paths there are."""
        self._seconds.labels(path, str(status)).observe(seconds)

    def waits(self, calls: int) -> None:
        """Notes how many calls wait."""
        self._waiting.set(calls)
