"""Traces through the queue: a span for sending, one for each answer, and what joins them in the message.

OpenTelemetry is an extra.  Nothing of it is imported unless the environment asks for traces.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from schemas.recommendation import ErrorAnswer, Recommendation

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

CARRIED = ("traceparent", "tracestate")
"""The headers of a message, or the fields of a stream's entry, that say which trace it belongs to (W3C)."""
LONGEST_CARRIED = 512
"""Characters of them that are read: what is longer is nobody's trace."""

EXPORT_SECONDS = 2.0
"""How long spans are offered to a collector, unless the environment says: a process that ends waits for its last."""

TIMEOUTS = ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")

NANOSECONDS = 1_000_000_000

_log = logging.getLogger(__name__)


def are_traces_wanted(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's own variables ask for traces."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    if exporter:
        return exporter != "none"
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(environment.get(name) for name in endpoints)


def traces_for(service: str, environment: Mapping[str, str]) -> "Traces | None":
    """The traces of a ``service``; None where none are wanted or the extra is not installed."""
    if not are_traces_wanted(environment):
        return None
    try:
        import opentelemetry.exporter.otlp.proto.http.trace_exporter  # noqa: PLC0415 - an extra
        import opentelemetry.sdk.trace  # noqa: F401, PLC0415 - as above
    except ImportError:
        _log.warning("no traces: weighbridge[otel] is not installed", extra={"action": "trace"})
        return None
    has_name = "OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return Traces(None if has_name else service)


class Traces:
    """The spans of one process."""

    def __init__(self, service: str | None) -> None:
        self._service = service
        self._tracer: Tracer | None = None
        self._own: TracerProvider | None = None

    def start(self) -> None:
        """Begins to export, in this process; what is forked from it begins for itself.

        Where the program has a provider of its own, that one is used.
        """
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        provider = trace.get_tracer_provider()
        if not isinstance(provider, TracerProvider):
            named = {"service.name": self._service} if self._service else {}
            provider = self._own = TracerProvider(resource=Resource.create(named))
            timed = any(os.environ.get(name) for name in TIMEOUTS)
            exporter = OTLPSpanExporter(timeout=None if timed else EXPORT_SECONDS)
            provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = provider.get_tracer("weighbridge")

    def close(self) -> None:
        """Exports what is left, and ends."""
        if self._own is not None:
            self._own.shutdown()
        self._tracer = self._own = None

    @contextmanager
    def sending(
        self, task: str, queue: str | None, task_id: str, arguments: Mapping[str, object]
    ) -> Iterator[dict[str, str]]:
        """A span for sending a message; what the message has to carry."""
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        carried: dict[str, str] = {}
        if self._tracer is None:
            yield carried
            return
        request, requests = arguments.get("request"), arguments.get("requests")
        attributes: dict[str, str | int] = {"messaging.operation.type": "send", "messaging.message.id": task_id}
        if queue:
            attributes["messaging.destination.name"] = queue
        if isinstance(request, Mapping):
            attributes["weighbridge.request_id"] = str(request.get("request_id"))
        if isinstance(requests, list):
            attributes["messaging.batch.message_count"] = len(requests)
        with self._tracer.start_as_current_span(f"send {task}", kind=SpanKind.PRODUCER, attributes=attributes):
            TraceContextTextMapPropagator().inject(carried)
            yield carried

    @contextmanager
    def continued(self, carrier: Mapping[str, object]) -> Iterator[None]:
        """Makes the spans of the block part of the trace that ``carrier``, a message's headers or fields, names."""
        from opentelemetry import context  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        carried = {name: value for name in CARRIED if isinstance(value := carrier.get(name), str)}
        told = {name: value for name, value in carried.items() if len(value) <= LONGEST_CARRIED}
        token = context.attach(TraceContextTextMapPropagator().extract(told))
        try:
            yield
        finally:
            context.detach(token)

    def answered(self, answer: Recommendation | ErrorAnswer, seconds: float) -> None:
        """A span for an answer that was just made and took ``seconds``."""
        from opentelemetry.trace import SpanKind, Status, StatusCode  # noqa: PLC0415

        if self._tracer is None:
            return
        now = time.time_ns()
        span = self._tracer.start_span(
            "answer", kind=SpanKind.CONSUMER, start_time=now - int(seconds * NANOSECONDS), attributes=_told(answer)
        )
        if isinstance(answer, ErrorAnswer) and answer.error.code == "internal":
            span.set_status(Status(StatusCode.ERROR, answer.error.code))
        span.end(now)


def sending(
    traces: Traces | None, task: str, queue: str | None, task_id: str, arguments: Mapping[str, object]
) -> AbstractContextManager[dict[str, str] | None]:
    """A span for sending a message, where there are ``traces``; the headers the message has to carry."""
    return _NO_HEADERS if traces is None else traces.sending(task, queue, task_id, arguments)


_NO_HEADERS: AbstractContextManager[dict[str, str] | None] = nullcontext()


def _told(answer: Recommendation | ErrorAnswer) -> dict[str, str]:
    told = {"messaging.operation.type": "process", "weighbridge.request_id": answer.request_id}
    if isinstance(answer, ErrorAnswer):
        return told | {"weighbridge.verdict": "error", "weighbridge.error.code": answer.error.code}
    told["weighbridge.verdict"] = answer.verdict
    if answer.model.name:
        told["weighbridge.model"] = answer.model.name
    return told
