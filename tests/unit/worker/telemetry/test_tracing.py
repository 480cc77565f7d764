"""When traces are made, and which trace a message continues."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from worker.telemetry import tracing
from worker.telemetry.answers import ONLY_LOGGED
from worker.telemetry.tracing import Traces, are_traces_wanted, sending, traces_for

from .exposition import an_answer, an_error

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """What a program exports that has a provider of its own."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    yield exporter
    provider.shutdown()


@pytest.fixture
def traces(exported: InMemorySpanExporter) -> Traces:
    """Traces that go there."""
    del exported
    begun = Traces("weighbridge-worker")
    begun.start()
    return begun


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}, False),
    ],
)
def test_traces_are_made_when_the_standard_variables_ask_for_them(environment: dict[str, str], *, wanted: bool) -> None:
    """The variables mean what they mean to any program with OpenTelemetry."""
    assert are_traces_wanted(environment) is wanted
    assert (traces_for("weighbridge-worker", environment) is not None) is wanted


def test_without_the_extra_it_is_said_once_and_nothing_is_traced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever asks for traces and has not installed the extra is told."""
    # The linter of imports, where it ran before in this process, turns off every logger that was there.
    monkeypatch.setattr(tracing._log, "disabled", False)
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert traces_for("weighbridge-worker", {"OTEL_TRACES_EXPORTER": "otlp"}) is None
    assert [record.message for record in caplog.records] == ["no traces: weighbridge[otel] is not installed"]


def test_nothing_of_metrics_and_traces_is_imported_unless_asked_for() -> None:
    """A client and a worker do without the extra, load no library of metrics, and leave headers as they were."""
    program = (
        "import sys\n"
        "sys.modules['opentelemetry'] = None\n"
        "from worker.client import Client\n"
        "from worker.settings import Settings\n"
        "import worker.answering, worker.process, worker.tasks, worker.supervisor\n"
        "from worker.telemetry.answers import answers_noted\n"
        "settings = Settings.from_environment({})\n"
        "Client(settings, 'redis://127.0.0.1:1/0').close()\n"
        "with answers_noted(settings).continued({'traceparent': 'x'}): pass\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.', 'prometheus_client'))])\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env={})
    assert ran.stdout == "[]\n"
    with sending(None, "weighbridge.size", None, "task", {}) as headers, ONLY_LOGGED.continued(None):
        assert headers is None


def test_answers_continue_the_trace_that_a_message_carries(traces: Traces, exported: InMemorySpanExporter) -> None:
    """Headers of a message, and fields of a stream's entry, are read alike."""
    with traces.continued({"traceparent": f"00-{TRACE}-{PARENT}-01", "request": "{}", "id": "task"}):
        traces.answered(an_answer(), 0.25)
        traces.answered(an_error(), 0.0)
    good, bad = exported.get_finished_spans()
    for span in (good, bad):
        assert span.context is not None
        assert span.parent is not None
        assert (f"{span.context.trace_id:032x}", f"{span.parent.span_id:016x}") == (TRACE, PARENT)
    assert good.end_time is not None
    assert good.start_time is not None
    assert good.end_time - good.start_time == 250_000_000
    assert dict(good.attributes or {}) == {
        "messaging.operation.type": "process",
        "weighbridge.request_id": "one",
        "weighbridge.verdict": "fits",
    }
    assert dict(bad.attributes or {}) == {
        "messaging.operation.type": "process",
        "weighbridge.request_id": "two",
        "weighbridge.verdict": "error",
        "weighbridge.error.code": "invalid_request",
    }


@pytest.mark.parametrize(
    "carrier",
    [
        {},
        {"traceparent": None},
        {"traceparent": 7},
        {"traceparent": ["00", TRACE]},
        {"traceparent": "00-garbage"},
        {"traceparent": f"00-{'0' * 32}-{PARENT}-01"},
        {"traceparent": f"00-{TRACE}-{PARENT}-01" + "-" * 10_000},
        {"tracestate": "a=b"},
    ],
)
def test_what_is_no_trace_begins_a_new_one(
    carrier: dict[str, object], traces: Traces, exported: InMemorySpanExporter
) -> None:
    """Whatever stands in a message, its requests are answered and traced."""
    with traces.continued(carrier):
        traces.answered(an_answer(), 0.1)
    (span,) = exported.get_finished_spans()
    assert span.parent is None


def test_messages_carry_the_span_that_sends_them(traces: Traces, exported: InMemorySpanExporter) -> None:
    """What is put into the headers names the sending span."""
    with traces.sending("weighbridge.size_many", "sizing", "task-1", {"requests": [{}, {}]}) as headers:
        pass
    (span,) = exported.get_finished_spans()
    assert span.context is not None
    assert set(headers) == {"traceparent"}
    assert headers["traceparent"].startswith(f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-")
    assert dict(span.attributes or {})["messaging.batch.message_count"] == 2
