"""Publishing and settling, on a server in this process."""

import pytest
from fakeredis import FakeRedis
from redis.exceptions import ResponseError

from worker.channel import CHUNK_ITEMS, Encoded, Publisher
from worker.stream.inbox import GROUP
from worker.stream.outbox import Outbox, Settlement

REQUESTS = "weighbridge:requests"


def taken(redis: FakeRedis, count: int) -> list[str]:
    """Entries that a consumer holds."""
    entries = [str(redis.xadd(REQUESTS, {"request": "{}"})) for _ in range(count)]
    redis.xgroup_create(REQUESTS, GROUP, id="0")
    redis.xreadgroup(GROUP, "one", {REQUESTS: ">"})
    return entries


def filled(redis: FakeRedis, publisher: Publisher, entries: list[str]) -> Outbox:
    """An answer to each of them."""
    outbox = Outbox(redis, publisher)
    for entry in entries:
        outbox.add(Settlement(entry_id=entry, answer=Encoded(request_id=entry, body="{}")))
    return outbox


def test_entries_are_settled_as_their_answers_are_published(redis: FakeRedis, publisher: Publisher) -> None:
    """More than one script call takes: all are published, in order, and none waits or is held."""
    entries = taken(redis, CHUNK_ITEMS + 1)
    outbox = filled(redis, publisher, entries)
    assert outbox.is_due()
    outbox.flush()
    assert [fields["request_id"] for _, fields in redis.xrange("weighbridge:results")] == entries
    assert redis.xlen(REQUESTS) == 0
    assert redis.xpending(REQUESTS, GROUP)["pending"] == 0
    assert not outbox.is_due()


def test_what_cannot_be_published_stays_held(redis: FakeRedis, publisher: Publisher) -> None:
    """Where publishing fails nothing is acknowledged, and the next flush does all of it, once."""
    entries = taken(redis, 2)
    outbox = filled(redis, publisher, entries)
    redis.set("weighbridge:results", "in the way")
    with pytest.raises(ResponseError):
        outbox.flush()
    assert redis.xpending(REQUESTS, GROUP)["pending"] == 2
    redis.delete("weighbridge:results", *(publisher.keys.done(entry) for entry in entries))
    outbox.flush()
    assert redis.xlen(REQUESTS) == 0
    assert redis.xlen("weighbridge:results") == 2


def test_settled_once_more_changes_nothing(redis: FakeRedis, publisher: Publisher) -> None:
    """An entry that two answered, because one was thought dead, is published once."""
    entries = taken(redis, 1)
    for _ in range(2):
        filled(redis, publisher, entries).flush()
    assert redis.xlen("weighbridge:results") == 1
