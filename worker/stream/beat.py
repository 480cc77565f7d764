"""The beat: written by the very loop that reads the stream, so that it tells of reading and not of being there."""

import time
from typing import TYPE_CHECKING

from ..keys import Keys
from ..settings import Settings

if TYPE_CHECKING:
    from redis import Redis

EVERY_SECONDS = 1.0
MARGIN_SECONDS = 10

BEAT = """
-- KEYS: the beat   ARGV: seconds it lives
local told = redis.pcall('SET', KEYS[1], redis.call('TIME')[1], 'EX', ARGV[1])
if told.err then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
"""
"""A full server takes no new value, and still lets the old one live on."""


class Beat:
    """One process's beat; every method raises redis.RedisError when the server is away."""

    def __init__(self, redis: "Redis", settings: Settings, number: int) -> None:
        self._redis = redis
        self._key = Keys(prefix=settings.key_prefix).beat(settings.worker_name, number)
        self._script = redis.register_script(BEAT)
        # No loop is longer than the request in it, which the kernel ends at the hard limit.
        self._lives_seconds = settings.hard_time_limit_seconds + MARGIN_SECONDS
        self._next = 0.0

    def give(self) -> None:
        """Writes it, if the last was a second ago."""
        if (now := time.monotonic()) >= self._next:
            self._script(keys=[self._key], args=[self._lives_seconds])
            self._next = now + EVERY_SECONDS

    def end(self) -> None:
        """Takes it away: this process reads no longer."""
        self._redis.delete(self._key)


def silent(redis: "Redis", settings: Settings) -> list[int]:
    """The numbers of those of the worker's processes on the stream that do not read it.

    Raises: redis.RedisError.
    """
    keys = Keys(prefix=settings.key_prefix)
    numbers = range(1, settings.stream_processes + 1)
    return [number for number in numbers if not redis.exists(keys.beat(settings.worker_name, number))]
