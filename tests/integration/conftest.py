"""A server for the whole run, names of its own for each test, and workers that are gone afterwards."""

import os
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest
from redis import Redis

from worker.client import Client
from worker.connection import connect
from worker.embedded import EmbeddedServer, find_binary
from worker.health import heartbeat
from worker.keys import Keys
from worker.process import WorkerProcess
from worker.settings import Settings
from worker.stream.process import StreamProcess

from .polling import eventually

READY_SECONDS = 30.0


class ScriptedWorker(WorkerProcess):
    """A worker that a request can tell to be slow or to die."""

    command: ClassVar[list[str]] = [sys.executable, "-m", "tests.integration.scripted_worker"]


class ScriptedStream(StreamProcess):
    """Such a process on the stream of requests."""

    command: ClassVar[list[str]] = [sys.executable, "-m", "tests.integration.scripted_worker", "stream"]


StartWorker = Callable[[Settings], ScriptedWorker]


def a_request(**metadata: object) -> dict[str, Any]:
    """A small good request."""
    return {
        "model": {"num_parameters": 8_000_000_000},
        "weight_format": "bf16",
        "hardware": {"gpu": "H100-SXM-80GB", "count": 1},
        "alternatives": 0,
        "metadata": metadata,
    }


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The server WEIGHBRIDGE_REDIS_URL names, else one started for the run."""
    configured = Settings.from_environment(os.environ)
    if configured.url is not None:
        yield configured.url
        return
    binary = find_binary(configured.embedded_server)
    server = EmbeddedServer(binary, tmp_path_factory.mktemp("server")).start()
    yield server.url
    server.stop()
    assert not server.is_running()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that the test may mistreat."""
    choice = Settings.from_environment(os.environ).embedded_server
    server = EmbeddedServer(find_binary(choice), tmp_path / "server").start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def redis(url: str) -> Iterator[Redis]:
    """A plain client of the server."""
    client = connect(url, patience=2)
    yield client
    client.close()


def settings_for(home: Path) -> Settings:
    """Settings under keys that nobody else has, with short limits so that what is lost comes back soon."""
    unique = secrets.token_hex(6)
    return Settings(
        home=home,
        key_prefix=f"weighbridge-test-{unique}:",
        worker_name=f"test-{unique}",
        concurrency=2,
        prefetch=1,
        soft_time_limit_seconds=3,
        hard_time_limit_seconds=4,
        soft_shutdown_seconds=1,
        visibility_timeout_seconds=6,
    )


def forget(redis: Redis, prefix: str) -> None:
    """Deletes the keys under ``prefix``, and nothing else: the server may be somebody's own."""
    for key in redis.scan_iter(match=f"{prefix}*", count=1000):
        redis.delete(key)


@pytest.fixture
def settings(redis: Redis, tmp_path: Path) -> Iterator[Settings]:
    """Settings of this test alone."""
    own = settings_for(tmp_path)
    yield own
    forget(redis, own.key_prefix)


@pytest.fixture
def keys(settings: Settings) -> Keys:
    """Names on the server, of this test alone."""
    return Keys(prefix=settings.key_prefix)


@pytest.fixture
def client(settings: Settings, url: str) -> Iterator[Client]:
    """A client of the server."""
    with Client(settings, url) as opened:
        yield opened


@pytest.fixture
def start_worker(url: str) -> Iterator[StartWorker]:
    """Starts workers and waits until they answer; afterwards each is ended, with its pool."""
    with ExitStack() as ended:

        def start(settings: Settings) -> ScriptedWorker:
            worker = ScriptedWorker(settings, url).start()
            ended.callback(assert_gone, worker.pid)
            ended.callback(worker.kill)
            assert heartbeat(settings, url, timeout=READY_SECONDS) is not None
            return worker

        yield start


@pytest.fixture(scope="module")
def running(redis: Redis, url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Client]]:
    """One worker and a client of it, for all tests of a module that do it no harm."""
    own = settings_for(tmp_path_factory.mktemp("home"))
    worker = ScriptedWorker(own, url).start()
    with Client(own, url) as opened:
        assert heartbeat(own, url, timeout=READY_SECONDS) is not None
        yield own, opened
    worker.stop()
    assert_gone(worker.pid)
    forget(redis, own.key_prefix)


def assert_gone(session: int) -> None:
    """No process of that session is left."""
    assert eventually(lambda: not is_alive(session), within=10), f"processes of session {session} are left"


def is_alive(session: int) -> bool:
    """Whether a process of the session lives; one that ended and was not yet waited for does not count."""
    return any(
        line.split()[5 - 2] == str(session) and line.split()[0] != "Z"
        for line in (stat.rpartition(")")[2].strip() for stat in _stats())
    )


def _stats() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue


def published(redis: Redis, keys: Keys) -> list[tuple[str, str]]:
    """Request id and body of each stream entry."""
    entries = cast("list[tuple[str, dict[str, str]]]", redis.xrange(keys.results))
    return [(fields["request_id"], fields["body"]) for _, fields in entries]


def entries_by_id(redis: Redis, keys: Keys) -> Mapping[str, int]:
    """How many stream entries each request id has."""
    return Counter(request_id for request_id, _ in published(redis, keys))
