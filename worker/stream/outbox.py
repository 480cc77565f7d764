"""Answers on their way out: computed one by one, published and settled together, and never waiting long."""

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..channel import CHUNK_ITEMS, PUBLISH_ONCE, Encoded, Publisher
from ..telemetry.answers import ONLY_LOGGED, AnswersNoted
from .inbox import GROUP

if TYPE_CHECKING:
    from redis import Redis

LONGEST_WAIT_SECONDS = 0.5
"""An answer that is ready is published within this and a tick, whatever the next request takes."""

SETTLE = f"""
-- KEYS: the stream of requests, then those of PUBLISH_ONCE
-- ARGV: the group, how many entries are settled, those entries, then those of PUBLISH_ONCE
local function publish_once(KEYS, ARGV)
{PUBLISH_ONCE}
end
local function from(list, first)
  local rest = {{}}
  for i = first, #list do rest[#rest + 1] = list[i] end
  return rest
end
local entries = tonumber(ARGV[2])
publish_once(from(KEYS, 2), from(ARGV, 3 + entries))
for i = 3, 2 + entries do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  redis.call('XDEL', KEYS[1], ARGV[i])
end
"""
"""A script, where MULTI would not do: on a full server publishing fails, and MULTI would acknowledge all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """An answer, and the entry that is settled by it."""

    entry_id: str
    answer: Encoded


class Outbox:
    """What was answered and is not published yet; for the thread that answers and for one that minds the clock."""

    def __init__(self, redis: "Redis", publisher: Publisher, noted: AnswersNoted = ONLY_LOGGED) -> None:
        self._noted = noted
        self._stream = publisher.keys.requests
        self._publisher = publisher
        self._script = redis.register_script(SETTLE)
        self._ready: list[Settlement] = []
        self._oldest = 0.0
        self._lock = threading.Lock()

    def add(self, settlement: Settlement) -> None:
        """Takes an answer."""
        with self._lock:
            if not self._ready:
                self._oldest = time.monotonic()
            self._ready.append(settlement)

    def is_due(self) -> bool:
        """Whether there are as many answers as are published at once, or one has waited long enough."""
        return len(self._ready) >= CHUNK_ITEMS or (
            bool(self._ready) and time.monotonic() - self._oldest >= LONGEST_WAIT_SECONDS
        )

    def flush(self) -> None:
        """Publishes each answer unless its request was answered before, and takes its entry from the stream.

        Raises: redis.RedisError; what is not published stays here, and publishing again is harmless.
        """
        with self._lock:
            while chunk := self._ready[:CHUNK_ITEMS]:
                keys, arguments = self._publisher.call([each.answer for each in chunk])
                entries = [each.entry_id for each in chunk]
                began = time.perf_counter()
                self._script(keys=[self._stream, *keys], args=[GROUP, len(entries), *entries, *arguments])
                self._noted.published(repeated=0, seconds=time.perf_counter() - began)
                del self._ready[: len(chunk)]
