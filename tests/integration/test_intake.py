"""The way in, which closes before the server is full or those who read the results are left behind."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest
from redis.exceptions import OutOfMemoryError

from schemas.errors import InvalidRequestError, QueueFullError
from worker.app import create_app
from worker.client import Client
from worker.delivery import intake
from worker.embedded import EmbeddedServer, find_binary
from worker.health import heartbeat
from worker.settings import Settings
from worker.wiring import Wiring

from .conftest import ScriptedWorker, StartWorker, a_request, entries_by_id

WAIT_SECONDS = 30.0
ROOM_BYTES = 20 * 2**20


def used_memory(wiring: Wiring) -> int:
    """Bytes the server uses."""
    return int(wiring.redis.info("memory")["used_memory"])


def fill(client: Client, request_ids: list[str]) -> None:
    """Sends requests, noting their ids, until no more are taken."""
    while True:
        request_ids += client.submit_many([a_request(padding="x" * 4000) for _ in range(20)], chunk=20)


@pytest.fixture
def opened(settings: Settings, url: str) -> Iterator[Callable[..., tuple[Client, Wiring]]]:
    """A client and the parts under settings that a test changes."""
    made: list[tuple[Client, Wiring]] = []

    def make(**changes: float) -> tuple[Client, Wiring]:
        changed = settings.model_copy(update={"retry_after_seconds": 1, **changes})
        made.append((Client(changed, url), Wiring(changed, url)))
        return made[-1]

    yield make
    for client, wiring in made:
        client.close()
        wiring.close()


def test_queue_takes_no_more_than_may_wait(
    opened: Callable[..., tuple[Client, Wiring]], start_worker: StartWorker
) -> None:
    """More are refused with when to come back, other queues stay open, and all that was taken is answered."""
    client, wiring = opened(queue_high_water=3)
    request_ids = [client.submit(a_request()) for _ in range(3)]
    with pytest.raises(QueueFullError) as refused:
        client.submit(a_request())
    assert refused.value.retry_after_seconds == 1
    request_ids.append(client.submit(a_request(), queue="admission"))
    start_worker(wiring.settings)
    request_ids.append(client.submit(a_request(), patience=WAIT_SECONDS))
    assert {answer.status for answer in client.wait_many(request_ids, timeout=WAIT_SECONDS)} == {"ok"}


def test_message_longer_than_workers_read_is_refused(opened: Callable[..., tuple[Client, Wiring]]) -> None:
    """Its sender is told, where a worker could only set it aside."""
    client, wiring = opened(max_message_bytes=2000)
    with pytest.raises(InvalidRequestError):
        client.submit(a_request(padding="x" * 2000))
    assert int(wiring.raw.llen(wiring.keys.queue("sizing"))) == 0


def test_intake_waits_for_those_who_read(opened: Callable[..., tuple[Client, Wiring]]) -> None:
    """A group that is far behind closes it; once it has read, or is there no more, it opens again."""
    client, wiring = opened(results_maxlen=10)
    wiring.redis.xgroup_create(wiring.keys.results, "slow", id="0", mkstream=True)
    wiring.redis.xgroup_createconsumer(wiring.keys.results, "slow", "reader")
    for number in range(6):
        wiring.redis.xadd(wiring.keys.results, {"request_id": str(number), "body": "{}"})
    assert wiring.intake.watch() == "results"
    assert json.loads(str(wiring.redis.get(wiring.keys.intake))) == {"reason": "results", "retry_after": 1}
    with pytest.raises(QueueFullError):
        client.submit(a_request())
    wiring.redis.xreadgroup("slow", "reader", {wiring.keys.results: ">"}, count=6)
    assert wiring.intake.watch() == "results"
    entries = cast("list[tuple[str, object]]", wiring.redis.xrange(wiring.keys.results))
    wiring.redis.xack(wiring.keys.results, "slow", *(entry_id for entry_id, _ in entries))
    assert wiring.intake.watch() is None
    client.submit(a_request())


def test_group_without_a_reader_closes_nothing(opened: Callable[..., tuple[Client, Wiring]]) -> None:
    """One that somebody forgot must not keep everybody out."""
    _, wiring = opened(results_maxlen=10)
    wiring.redis.xgroup_create(wiring.keys.results, "forgotten", id="0", mkstream=True)
    for number in range(9):
        wiring.redis.xadd(wiring.keys.results, {"request_id": str(number), "body": "{}"})
    assert wiring.intake.watch() is None


def test_results_are_kept_for_their_time(opened: Callable[..., tuple[Client, Wiring]]) -> None:
    """What is older than ids are known is let go of."""
    _, wiring = opened(result_ttl_seconds=1)
    for _ in range(500):
        wiring.redis.xadd(wiring.keys.results, {"request_id": "old", "body": "x" * 100})
    time.sleep(2.1)
    wiring.intake.watch()
    # In whole nodes of the stream, of 100 entries each.
    assert int(wiring.redis.xlen(wiring.keys.results)) < 101


def test_results_make_room_that_nobody_waits_for(
    opened: Callable[..., tuple[Client, Wiring]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where room is short, what every reader has read goes, and what one has not stays."""
    _, wiring = opened(intake_memory_fraction=0.0001)
    monkeypatch.setattr(intake, "SPARE_SECONDS", 0)
    results = wiring.keys.results
    wiring.redis.xgroup_create(results, "reader", id="0", mkstream=True)
    for number in range(1000):
        wiring.redis.xadd(results, {"request_id": str(number), "body": "{}"})
    wiring.redis.xreadgroup("reader", "only", {results: ">"}, count=500)
    time.sleep(1.1)  # the clock of the script has whole seconds
    maxmemory = str(wiring.redis.config_get("maxmemory")["maxmemory"])
    try:
        wiring.redis.config_set("maxmemory", "1gb")
        wiring.intake.watch()
        assert int(wiring.redis.xlen(results)) == 1000
        *read, (needed, _) = cast("list[tuple[str, object]]", wiring.redis.xrange(results, count=401))
        wiring.redis.xack(results, "reader", *(entry_id for entry_id, _ in read))
        wiring.intake.watch()
        # In whole nodes of the stream, of at most 100 entries each.
        assert 600 <= int(wiring.redis.xlen(results)) <= 700
        assert wiring.redis.xrange(results, needed, needed)
    finally:
        wiring.redis.config_set("maxmemory", maxmemory)


@pytest.fixture
def small(tmp_path: Path, settings: Settings) -> Iterator[Wiring]:
    """The parts on a server of this test's own with little room, its worker not started yet."""
    server = EmbeddedServer(find_binary("auto"), tmp_path / "server").start()
    own = settings.model_copy(update={"home": tmp_path, "retry_after_seconds": 1, "reply_ttl_seconds": 1})
    wiring = Wiring(own, server.url)
    wiring.redis.config_set("maxmemory", str(used_memory(wiring) + ROOM_BYTES))
    yield wiring
    wiring.close()
    server.stop()


@contextmanager
def at_work(wiring: Wiring) -> Iterator[None]:
    """A worker, and the upkeep that its supervisor would run."""
    stop = threading.Event()
    upkeep = threading.Thread(target=Wiring(wiring.settings, wiring.url).upkeep.run, args=(stop,))
    with Path(os.devnull).open("wb") as log:
        worker = ScriptedWorker(wiring.settings, wiring.url, log=log).start()
        upkeep.start()
        try:
            assert heartbeat(wiring.settings, wiring.url, timeout=WAIT_SECONDS) is not None
            yield
        finally:
            stop.set()
            upkeep.join()
            worker.stop()


def test_server_at_its_limit_is_drained(small: Wiring) -> None:
    """Nothing is taken above the share that may be used; a worker starts then, and answers all that was."""
    with Client(small.settings, small.url) as client:
        request_ids: list[str] = []
        with pytest.raises(QueueFullError, match="memory"):
            fill(client, request_ids)
        assert len(request_ids) > 100
        with at_work(small):
            answers = client.wait_many(request_ids, timeout=WAIT_SECONDS)
            assert {answer.status for answer in answers} == {"ok"}
            request_ids.append(client.submit(a_request(), patience=WAIT_SECONDS))
            assert client.wait(request_ids[-1], timeout=WAIT_SECONDS).status == "ok"
    assert entries_by_id(small.redis, small.keys) == dict.fromkeys(request_ids, 1)


def test_message_is_acknowledged_on_a_full_server(small: Wiring) -> None:
    """A server without any room takes that a message is dealt with, which makes room."""
    with Client(small.settings, small.url) as client:
        client.submit(a_request())
    app = create_app(small.settings, small.url, refuse=lambda *_: None)
    with app.connection_for_read() as connection:
        message = connection.default_channel.basic_get("sizing")
        assert small.raw.hlen(small.keys.unacked) == 1
        small.redis.config_set("maxmemory", "1mb")
        with pytest.raises(OutOfMemoryError):
            small.redis.set("no", "room")
        message.ack()
    kept = (small.keys.unacked, small.keys.unacked_index, small.keys.ledger, small.keys.ledger_messages)
    assert small.raw.exists(*kept) == 0
    small.redis.config_set("maxmemory", "0")


def test_server_without_any_room_loses_nothing(small: Wiring) -> None:
    """What its worker took and could neither note nor answer is answered once there is room."""
    with Client(small.settings, small.url) as client, at_work(small):
        request_ids = client.submit_many([a_request(sleep_seconds=0.05) for _ in range(60)], chunk=5)
        small.redis.config_set("maxmemory", "1mb")
        assert small.intake.watch() == "memory"
        time.sleep(2)
        small.redis.config_set("maxmemory", str(used_memory(small) + ROOM_BYTES))
        answers = client.wait_many(request_ids, timeout=2 * WAIT_SECONDS)
        assert {answer.status for answer in answers} == {"ok"}
    assert entries_by_id(small.redis, small.keys) == dict.fromkeys(request_ids, 1)
