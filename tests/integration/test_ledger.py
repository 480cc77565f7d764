"""Messages that vanish on their way, as when a worker is killed between taking one and noting that it has it."""

from collections.abc import Iterator
from typing import cast

import pytest
from redis import Redis

from schemas.recommendation import ErrorAnswer
from worker.app import SIZE, create_app
from worker.client import Client
from worker.settings import Settings
from worker.wiring import Wiring

from .conftest import StartWorker, a_request, entries_by_id
from .polling import eventually

WAIT_SECONDS = 30.0


@pytest.fixture
def wiring(settings: Settings, url: str) -> Iterator[Wiring]:
    """The service's parts on this test's keys."""
    parts = Wiring(settings, url)
    yield parts
    parts.close()


def vanish(wiring: Wiring, queue: str = "sizing") -> None:
    """Takes the next message as a worker does that is killed right then."""
    assert wiring.raw.rpop(wiring.keys.queue(queue)) is not None


def open_messages(wiring: Wiring) -> tuple[int, int]:
    """Messages the ledger knows of, by its index and by its texts."""
    return int(wiring.redis.zcard(wiring.keys.ledger)), int(wiring.redis.hlen(wiring.keys.ledger_messages))


def sweep(wiring: Wiring) -> int:
    """Messages that a sweep sends again."""
    return len(wiring.ledger.sweep(gone_seconds=0).sent)


def test_vanished_message_is_sent_again_and_answered_once(
    wiring: Wiring, client: Client, settings: Settings, start_worker: StartWorker, redis: Redis
) -> None:
    """It is on its queue again, before those that wait, and the ledger is empty when all is answered."""
    request_ids = [client.submit(a_request()) for _ in range(3)]
    vanish(wiring)
    assert sweep(wiring) == 1
    assert sweep(wiring) == 0
    start_worker(settings)
    assert {answer.status for answer in client.wait_many(request_ids, timeout=WAIT_SECONDS)} == {"ok"}
    assert entries_by_id(redis, wiring.keys) == dict.fromkeys(request_ids, 1)
    assert eventually(lambda: open_messages(wiring) == (0, 0), within=WAIT_SECONDS)


def test_what_waits_is_not_sent_again(wiring: Wiring, client: Client) -> None:
    """However long its queue is, and whatever a producer without a ledger put in front of it."""
    for _ in range(5):
        client.submit(a_request())
    assert sweep(wiring) == 0
    wiring.raw.rpush(wiring.keys.queue("sizing"), b"{}")
    assert sweep(wiring) == 0
    assert int(wiring.raw.llen(wiring.keys.queue("sizing"))) == 6


def test_what_is_held_is_not_sent_again(
    wiring: Wiring, client: Client, settings: Settings, start_worker: StartWorker
) -> None:
    """A worker that takes long over a request keeps it."""
    start_worker(settings)
    request_id = client.submit(a_request(sleep_seconds=1.5))
    (tag,) = cast("list[bytes]", wiring.raw.zrange(wiring.keys.ledger, 0, -1))
    assert eventually(lambda: bool(wiring.raw.hexists(wiring.keys.unacked, tag.decode())), within=WAIT_SECONDS)
    assert sweep(wiring) == 0
    assert client.wait(request_id, timeout=WAIT_SECONDS).status == "ok"
    assert eventually(lambda: open_messages(wiring) == (0, 0), within=WAIT_SECONDS)


def test_every_queue_has_its_own_place_in_line(wiring: Wiring, client: Client) -> None:
    """What vanished from a list is found beside others that wait, and comes back to its own queue."""
    client.submit(a_request(), queue="admission")
    client.submit_many([a_request(), a_request()])
    client.submit(a_request())
    vanish(wiring, "sizing.batch")
    assert sweep(wiring) == 1
    assert [int(wiring.raw.llen(wiring.keys.queue(name))) for name in wiring.settings.queues] == [1, 1, 1]


def test_message_that_vanishes_each_time_is_answered(wiring: Wiring, client: Client, settings: Settings) -> None:
    """After as many times as a message may be delivered it is set aside and answered as an error."""
    request_id = client.submit(a_request())
    upkeep = wiring.upkeep
    for _ in range(settings.max_deliveries):
        vanish(wiring)
        assert sweep(wiring) == 1
    vanish(wiring)
    swept = wiring.ledger.sweep(gone_seconds=0)
    assert [given_up.queue for given_up in swept.given_up] == ["sizing"]
    upkeep.give_up(swept.given_up)
    answer = client.wait(request_id, timeout=WAIT_SECONDS)
    assert isinstance(answer, ErrorAnswer)
    assert answer.error.code == "internal"
    assert [letter.reason for letter in wiring.dead.newest_first()] == ["workers_lost"]
    assert open_messages(wiring) == (0, 0)


def test_message_that_was_set_aside_is_struck_out(
    wiring: Wiring, client: Client, settings: Settings, url: str, start_worker: StartWorker
) -> None:
    """What became a dead letter is not looked for."""
    app = create_app(settings, url)
    app.send_task(SIZE, kwargs={"request": a_request()}, task_id="late", countdown=3600)
    app.close()
    assert open_messages(wiring) == (1, 1)
    start_worker(settings)
    assert client.wait("late", timeout=WAIT_SECONDS).status == "error"
    assert eventually(lambda: open_messages(wiring) == (0, 0), within=WAIT_SECONDS)
