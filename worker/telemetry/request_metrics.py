"""What the processes that answer count: answers by verdict, and seconds by stage."""

import os
from pathlib import Path
from typing import Literal, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, values

from schemas.recommendation import ErrorAnswer, Recommendation
from schemas.vocabulary import Verdict

Stage = Literal["recommend", "encode", "publish"]

BOUNDS_SECONDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0)
"""From the quickest stage of a small request to the soft time limit."""

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""By which prometheus-client is told where processes count together."""


def count_together(folder: Path, place: str | None = None) -> None:
    """Makes this process, and those forked from it, count in files below ``folder`` from now on.

    ``place`` names the file of a process that is none of a pool; one that takes its place goes on in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(_Place() if place is None else lambda: place)  # type: ignore[no-untyped-call]


class RequestMetrics:
    """The counters of one process; to be made after ``count_together``."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._requests = Counter(
            "weighbridge_requests",
            "Requests answered, by verdict; those with the verdict error by its code as well.",
            ["verdict", "code"],
            registry=registry,
        )
        self._repeated = Counter(
            "weighbridge_repeated_requests",
            "Requests whose id had been answered before, so that nothing was published.",
            registry=registry,
        )
        stages = Histogram(
            "weighbridge_stage_seconds",
            "Seconds a request takes to recommend and to encode, and a message's answers to publish.",
            ["stage"],
            buckets=BOUNDS_SECONDS,
            registry=registry,
        )
        # Looked up once: a lookup by labels costs as much as counting.
        self._stages = {stage: stages.labels(stage) for stage in get_args(Stage)}
        self._answers = {(verdict, ""): self._requests.labels(verdict, "") for verdict in get_args(Verdict)}

    def answered(self, answer: Recommendation | ErrorAnswer) -> None:
        """Counts an answer."""
        labels = ("error", answer.error.code) if isinstance(answer, ErrorAnswer) else (answer.verdict, "")
        if (counter := self._answers.get(labels)) is None:
            counter = self._answers[labels] = self._requests.labels(*labels)
        counter.inc()

    def repeated(self, requests: int) -> None:
        """Counts requests that had been answered before."""
        self._repeated.inc(requests)

    def took(self, stage: Stage, seconds: float) -> None:
        """Counts the seconds of a stage."""
        self._stages[stage].observe(seconds)


class _Place:
    """Which file the process counts in: that of its place in the pool, not of its process id.

    Pool processes are exchanged after so many tasks; with a file a process there would be ever more to add up.
    Billiard gives a place to another process only when the one before has ended.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._name = ""

    def __call__(self) -> str:
        if (pid := os.getpid()) != self._pid:
            from billiard import current_process  # noqa: PLC0415 - forked since, so that it is asked anew

            index = getattr(current_process(), "index", None)
            self._pid = pid
            self._name = str(pid) if index is None else f"{os.getppid()}-{index}"
        return self._name
