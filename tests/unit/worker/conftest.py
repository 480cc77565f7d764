"""A server in this process, for what needs no worker."""

from collections.abc import Iterator

import pytest
from fakeredis import FakeRedis, FakeServer

from worker.channel import Publisher
from worker.delivery.dead import DeadLetters
from worker.keys import Keys
from worker.reader import Reader

KEYS = Keys(prefix="weighbridge:")


@pytest.fixture
def server() -> FakeServer:
    """A server of this test's own."""
    return FakeServer()


@pytest.fixture
def redis(server: FakeServer) -> Iterator[FakeRedis]:
    """A client that reads text."""
    client = FakeRedis(server=server, decode_responses=True, protocol=2)
    yield client
    client.close()


@pytest.fixture
def raw(server: FakeServer) -> Iterator[FakeRedis]:
    """A client that reads bytes."""
    client = FakeRedis(server=server, protocol=2)
    yield client
    client.close()


@pytest.fixture
def dead(raw: FakeRedis) -> DeadLetters:
    """Dead letters."""
    return DeadLetters(redis=raw, keys=KEYS, maxlen=100, max_message_bytes=2048)


@pytest.fixture
def publisher(redis: FakeRedis) -> Publisher:
    """The writing end."""
    return Publisher(redis=redis, keys=KEYS, result_ttl_seconds=60, reply_ttl_seconds=30, results_maxlen=1000)


@pytest.fixture
def reader(redis: FakeRedis) -> Reader:
    """The reading end."""
    return Reader(redis=redis, keys=KEYS)
