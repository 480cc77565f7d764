"""What is noted of answers as they are made: in the log, in the metrics, and in traces, as far as each is on."""

import logging
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.recommendation import ErrorAnswer, Recommendation

from ..settings import Settings
from .tracing import Traces, traces_for

if TYPE_CHECKING:
    from .request_metrics import RequestMetrics

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class AnswersNoted:
    """Notes answers; by default only in the log, where its level lets them through."""

    metrics: "RequestMetrics | None" = None
    traces: Traces | None = None

    def start(self) -> None:
        """To be called in each process that answers, once it is forked."""
        if self.traces is not None:
            self.traces.start()

    def close(self) -> None:
        """To be called in each of them before it ends."""
        if self.traces is not None:
            self.traces.close()

    def answered(
        self, answer: Recommendation | ErrorAnswer, *, recommend_seconds: float, encode_seconds: float
    ) -> None:
        """Notes a request that was weighed."""
        if self.metrics is not None:
            self.metrics.answered(answer)
            self.metrics.took("recommend", recommend_seconds)
            self.metrics.took("encode", encode_seconds)
        if self.traces is not None:
            self.traces.answered(answer, recommend_seconds + encode_seconds)
        if _log.isEnabledFor(logging.INFO):
            verdict = answer.error.code if isinstance(answer, ErrorAnswer) else answer.verdict
            _log.info("answered: %s", verdict, extra={"action": "answer", "request_id": answer.request_id})

    def refused(self, answer: ErrorAnswer) -> None:
        """Notes a request that is answered with an error before it was looked at."""
        if self.metrics is not None:
            self.metrics.answered(answer)
        if self.traces is not None:
            self.traces.answered(answer, 0.0)
        about = {"action": "refuse", "request_id": answer.request_id}
        _log.info("refused: %s: %s", answer.error.code, answer.error.message, extra=about)

    def published(self, *, repeated: int, seconds: float) -> None:
        """Notes that a message's answers were published, and how many were known before."""
        if self.metrics is not None:
            self.metrics.took("publish", seconds)
            if repeated:
                self.metrics.repeated(repeated)

    def continued(self, carrier: Mapping[str, object] | None) -> AbstractContextManager[None]:
        """For the block, the trace that ``carrier``, a message's headers or a stream entry's fields, names."""
        return _AS_IT_IS if self.traces is None else self.traces.continued(carrier or {})


ONLY_LOGGED = AnswersNoted()

_AS_IT_IS: AbstractContextManager[None] = nullcontext()


def answers_noted(settings: Settings, place: str | None = None) -> AnswersNoted:
    """What a worker's process notes, by its settings and OpenTelemetry's variables; ``place`` as in count_together."""
    metrics = None
    if settings.metrics_port is not None:
        from .request_metrics import RequestMetrics, count_together  # noqa: PLC0415 - who serves none pays for none

        count_together(settings.metrics_home, place)
        metrics = RequestMetrics()
    return AnswersNoted(metrics=metrics, traces=traces_for("weighbridge-worker", os.environ))
