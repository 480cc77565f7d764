"""A server in this process, for what needs no worker."""

from collections.abc import Iterator

import pytest
from fakeredis import FakeRedis, FakeServer

from worker.channel import Publisher
from worker.keys import Keys
from worker.reader import Reader

KEYS = Keys(prefix="weighbridge:")


@pytest.fixture
def redis() -> Iterator[FakeRedis]:
    """A client of a server of its own."""
    client = FakeRedis(server=FakeServer(), decode_responses=True, protocol=2)
    yield client
    client.close()


@pytest.fixture
def publisher(redis: FakeRedis) -> Publisher:
    """The writing end."""
    return Publisher(redis=redis, keys=KEYS, result_ttl_seconds=60, reply_ttl_seconds=30, results_maxlen=1000)


@pytest.fixture
def reader(redis: FakeRedis) -> Reader:
    """The reading end."""
    return Reader(redis=redis, keys=KEYS)
