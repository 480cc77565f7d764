"""A worker as it is seen from outside: log, metrics, probes, traces, the list of workers, and a status."""

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from worker.client import Client
from worker.embedded import EmbeddedServer, find_binary
from worker.keys import Keys
from worker.settings import Settings
from worker.telemetry.log_lines import ACTIONS, LOG_FIELDS
from worker.telemetry.registry import Registry

from ..unit.worker.telemetry.exposition import everything, metric_names, sample
from .conftest import a_request, assert_gone
from .polling import eventually
from .span_receiver import Received, attributes, span_receiver

COMMAND = [sys.executable, "-c", "from cli.main import main; main()"]
READY_SECONDS = 40.0


@dataclass
class Service:
    """``weighbridge worker`` on a server with a password."""

    settings: Settings
    environment: dict[str, str]
    server: EmbeddedServer
    log: Path
    address: str
    received: Received

    def lines(self) -> list[dict[str, Any]]:
        """What it logged, whole lines only."""
        text = self.log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def has_done(self, action: str) -> bool:
        """Whether it logged an action."""
        return any(line.get("action") == action for line in self.lines())

    def get(self, path: str, accept: str = "") -> tuple[int, str]:
        """Status and body of a page."""
        connection = HTTPConnection(urlsplit(self.address).netloc, timeout=20)
        with closing(connection):
            connection.request("GET", path, headers={"Accept": accept})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()

    def status(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """``weighbridge status``."""
        command = [*COMMAND, "status", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60, check=False, errors="replace"
        )


def an_environment(home: Path, url: str, **more: str) -> dict[str, str]:
    """That of a worker which logs as much as it can."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WEIGHBRIDGE_", "OTEL_"))}
    return {
        **kept,
        "WEIGHBRIDGE_REDIS_URL": url,
        "WEIGHBRIDGE_HOME": str(home),
        "WEIGHBRIDGE_WORKER_NAME": "alpha",
        "WEIGHBRIDGE_CONCURRENCY": "2",
        "WEIGHBRIDGE_QUEUES": "sizing,sizing.batch",
        "WEIGHBRIDGE_STREAM_PROCESSES": "1",
        "WEIGHBRIDGE_SOFT_SHUTDOWN_SECONDS": "1",
        "WEIGHBRIDGE_LOG_FORMAT": "json",
        "WEIGHBRIDGE_LOG_LEVEL": "DEBUG",
        **more,
    }


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The worker, ready; afterwards it stops when told to."""
    home = tmp_path_factory.mktemp("home")
    server = EmbeddedServer(find_binary("auto"), home / "server").start()
    log = home / "log"
    with ExitStack() as ended:
        ended.callback(server.stop)
        received = ended.enter_context(span_receiver())
        output = ended.enter_context(log.open("wb"))
        environment = an_environment(
            home,
            server.url,
            WEIGHBRIDGE_METRICS_PORT="0",
            OTEL_EXPORTER_OTLP_ENDPOINT=received.endpoint,
            OTEL_BSP_SCHEDULE_DELAY="200",
        )
        worker = ended.enter_context(
            subprocess.Popen(
                [*COMMAND, "worker"], env=environment, stdout=output, stderr=output, start_new_session=True
            )
        )
        ended.callback(worker.kill)
        service = Service(Settings.from_environment(environment), environment, server, log, "", received)
        assert eventually(lambda: service.has_done("ready"), within=READY_SECONDS), log.read_text(encoding="utf-8")
        told = next(line["message"] for line in service.lines() if line["message"].startswith("metrics: "))
        service.address = told.removeprefix("metrics: ").partition("/metrics")[0]
        yield service
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
        assert service.has_done("stop")
        assert_gone(worker.pid)


@pytest.fixture
def client(service: Service, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client that traces, too."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", service.received.endpoint)
    with Client(service.settings, service.server.url) as opened:
        yield opened


def test_answers_are_counted_over_all_processes(service: Service, client: Client) -> None:
    """Each request counts once for its verdict or its error, in whichever process it was answered."""
    before = service.get("/metrics")[1]
    request_ids = client.submit_many([*(a_request() for _ in range(6)), {"model": 7}], chunk=2)
    list(client.wait_many(request_ids, timeout=30))
    # Answers are published before they are counted as such.
    assert eventually(lambda: 'code="invalid_request"' in service.get("/metrics")[1], within=10)
    status, after = service.get("/metrics")
    assert status == 200
    assert sample(after, 'weighbridge_requests_total{code="invalid_request",verdict="error"}') == 1
    good = [
        sum(
            sample(text, f'weighbridge_requests_total{{code="",verdict="{verdict}"}}')
            for verdict in ("fits", "tight", "does_not_fit", "unsupported")
            if f'verdict="{verdict}"' in text
        )
        for text in (before, after)
    ]
    assert good[1] - good[0] == 6
    assert sample(after, 'weighbridge_stage_seconds_count{stage="recommend"}') >= 7
    assert sample(after, "weighbridge_redis_up") == 1
    assert sample(after, 'weighbridge_queue_messages{queue="sizing"}') == 0


def test_a_real_worker_exposes_what_the_documents_are_checked_against(service: Service, tmp_path: Path) -> None:
    """All metrics but those of a site's rules, which this worker has none of, are there."""
    exposed = metric_names(service.get("/metrics")[1])
    assert metric_names(everything(Settings(home=tmp_path))) - exposed == {
        "weighbridge_rule_reloads_total",
        "weighbridge_rule_reload_failures_total",
        "weighbridge_rules_broken",
    }
    assert all(name.startswith("weighbridge_") for name in exposed)


def test_openmetrics_is_served_to_whoever_asks(service: Service) -> None:
    """Prometheus asks for OpenMetrics first."""
    status, body = service.get("/metrics", "application/openmetrics-text; version=1.0.0")
    assert status == 200
    assert body.endswith("# EOF\n")


def test_probes_say_ok_and_other_paths_are_not_found(service: Service) -> None:
    """Both probes are 200 while the worker answers, without a request of their own through the queue."""
    assert eventually(lambda: service.get("/readyz") == (200, "ok\n"), within=20)
    assert service.get("/healthz") == (200, "ok\n")
    assert service.get("/")[0] == 404


def test_client_and_worker_are_in_one_trace(service: Service, client: Client) -> None:
    """The span of sending is the parent of each answer's, which says what was asked and answered."""
    named = {**a_request(), "model": {"name": "Qwen/Qwen3-8B"}, "request_id": "traced-1"}
    assert client.submit(named) == "traced-1"
    bad: dict[str, Any] = {"model": 7, "request_id": "traced-2"}
    client.submit_many([{**named, "request_id": "traced-3"}, bad])
    for request_id in ("traced-1", "traced-2", "traced-3"):
        client.wait(request_id, timeout=30)
    client.close()
    received = service.received

    def answers() -> dict[str, Any]:
        spans = (span for name, span in received.named("answer") if name == "weighbridge-worker")
        return {attributes(span)["weighbridge.request_id"]: span for span in spans}

    assert eventually(lambda: {"traced-1", "traced-2", "traced-3"} <= set(answers()), within=20)
    (one,) = (
        span
        for name, span in received.named("send weighbridge.size")
        if name == "weighbridge-client" and attributes(span)["weighbridge.request_id"] == "traced-1"
    )
    many = received.named("send weighbridge.size_many")[-1][1]
    found = answers()
    assert (found["traced-1"].trace_id, found["traced-1"].parent_span_id) == (one.trace_id, one.span_id)
    assert {found[each].trace_id for each in ("traced-2", "traced-3")} == {many.trace_id}
    assert attributes(found["traced-1"])["weighbridge.model"] == "Qwen/Qwen3-8B"
    assert attributes(found["traced-1"])["weighbridge.verdict"] in {"fits", "tight", "does_not_fit", "unsupported"}
    assert attributes(found["traced-2"])["weighbridge.error.code"] == "invalid_request"


def test_requests_on_the_stream_are_counted_and_traced(service: Service, client: Client) -> None:
    """A producer in another language puts the trace beside its request, and its answer continues it."""
    trace_id = secrets.token_hex(16)
    request = {**a_request(), "request_id": "streamed-1"}
    before = service.get("/metrics")[1]
    fields = {"request": json.dumps(request), "traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"}
    client._redis.xadd(Keys(prefix=service.settings.key_prefix).requests, fields)  # type: ignore[arg-type]
    verdict = getattr(client.wait("streamed-1", timeout=30), "verdict", "error")
    name = f'weighbridge_requests_total{{code="",verdict="{verdict}"}}'
    assert eventually(lambda: sample(service.get("/metrics")[1], name) == sample(before, name) + 1, within=10)

    def is_traced() -> bool:
        spans = [span for _, span in service.received.named("answer") if span.trace_id.hex() == trace_id]
        return [attributes(span)["weighbridge.request_id"] for span in spans] == ["streamed-1"]

    assert eventually(is_traced, within=20)


def test_status_tells_what_waits_and_who_works(service: Service, client: Client) -> None:
    """The table and the JSON have the queues, the streams and the worker, and the server without its password."""
    keys = Keys(prefix=service.settings.key_prefix)
    client._redis.xgroup_create(keys.results, "scheduler", id="0", mkstream=True)
    # Sent five seconds ago, as the ledger notes it, to a queue that nobody serves.
    message = json.dumps({"properties": {"delivery_tag": "tag-1"}})
    client._redis.lpush(keys.queue("admission") + "\x06\x163", message)
    client._redis.zadd(keys.ledger, {"tag-1": float(client._redis.time()[0]) - 5})
    registry = Registry(redis=client._redis, keys=keys)
    assert eventually(lambda: bool(registry.workers()["alpha"].versions), within=20)
    told = service.status("--json")
    assert (told.returncode, told.stderr) == (0, "")
    status = json.loads(told.stdout)
    assert status["server"].startswith("redis://:**@127.0.0.1:")
    assert status["intake_closed"] is None
    assert 0 < status["memory_fraction"] < 1
    assert status["results_entries"] >= 1
    assert [group["name"] for group in status["results_groups"]] == ["scheduler"]
    (admission,) = (queue for queue in status["queues"] if queue["queue"] == "admission")
    assert admission["messages"] == 1
    assert 5 <= admission["oldest_seconds"] <= status["oldest_open_seconds"] < 60
    assert status["workers"]["alpha"]["processes"] == 2
    assert status["workers"]["alpha"]["stream_processes"] == 1
    assert [group["pending"] for group in status["requests_groups"]] == [0]
    assert status["workers"]["alpha"]["queues"] == ["sizing", "sizing.batch"]
    assert status["workers"]["alpha"]["versions"]["rules"].startswith("sha256:")
    shown = service.status().stdout
    for word in ("alpha", "admission", "scheduler", "open", "dead letters", "redis://:**@"):
        assert word in shown


def test_log_is_json_with_known_fields_and_actions(service: Service) -> None:
    """Supervisor, worker and pool write one object a line, and nothing else."""
    lines = service.lines()
    assert {"time", "level", "logger", "message", "worker", "pid"} <= set.intersection(*map(set, lines))
    assert set().union(*lines) <= set(LOG_FIELDS)
    assert {line["worker"] for line in lines} == {"alpha"}
    assert {line["action"] for line in lines if "action" in line} <= set(ACTIONS)
    answered = [line for line in lines if line.get("action") == "answer"]
    assert "traced-1" in {line["request_id"] for line in answered}
    assert len({line["pid"] for line in lines}) >= 3
    assert any(line["logger"].startswith("celery.") for line in lines)


def test_outage_makes_the_worker_unready_and_shows_no_password(service: Service) -> None:
    """While the server is away the worker is not ready, but healthy; it is ready again afterwards."""
    service.server.stop()
    assert eventually(lambda: service.get("/readyz")[0] == 503, within=20)
    assert service.get("/healthz")[0] == 200
    assert "weighbridge_redis_up 0.0" in service.get("/metrics")[1]
    away = service.status()
    assert away.returncode == 3
    assert eventually(lambda: any("annot connect" in line["message"] for line in service.lines()), within=20)
    service.server.start()
    assert eventually(lambda: service.get("/readyz")[0] == 200, within=40)
    password = urlsplit(service.server.url).password
    assert password
    assert password not in service.log.read_text(encoding="utf-8")
    assert password not in away.stdout + away.stderr


def test_refused_password_is_not_shown(service: Service, tmp_path: Path) -> None:
    """A worker with a password that the server refuses says so without it."""
    wrong = f"not-{secrets.token_hex(8)}"
    url = service.server.url.replace(str(urlsplit(service.server.url).password), wrong)
    with ExitStack() as ended:
        logs = {log_format: tmp_path / log_format for log_format in ("json", "text")}
        for log_format, log in logs.items():
            output = ended.enter_context(log.open("wb"))
            environment = an_environment(tmp_path, url, WEIGHBRIDGE_LOG_FORMAT=log_format)
            worker = subprocess.Popen(
                [sys.executable, "-m", "worker"], env=environment, stdout=output, stderr=output, start_new_session=True
            )
            ended.enter_context(worker)
            ended.callback(worker.kill)
        for log in logs.values():
            assert eventually(
                lambda log=log: "invalid username-password" in log.read_text(encoding="utf-8"),  # type: ignore[misc]
                within=30,
            )
    assert not [log for log in logs.values() if wrong in log.read_text(encoding="utf-8")]


def test_port_that_is_taken_is_told(service: Service, tmp_path: Path) -> None:
    """A worker whose port for metrics cannot be had ends with exit status 2."""
    port = str(urlsplit(service.address).port)
    environment = an_environment(
        tmp_path, service.server.url, WEIGHBRIDGE_METRICS_PORT=port, WEIGHBRIDGE_WORKER_NAME="beta"
    )
    ran = subprocess.run([*COMMAND, "worker"], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 2
    assert "WEIGHBRIDGE_METRICS_PORT" in ran.stderr
    assert all(isinstance(json.loads(line), dict) for line in ran.stderr.splitlines())
