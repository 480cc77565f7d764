"""The reading end of the stream of requests: a consumer group, in which each entry is held until it is settled."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import ResponseError

from .entry import RequestEntry, Terms

if TYPE_CHECKING:
    from redis import Redis

GROUP = "weighbridge"
BLOCK_SECONDS = 1.0
"""Longest wait for a new entry."""
GONE_SECONDS = 24 * 3600
"""A consumer that holds nothing and was silent for this long is another pod's, long gone."""

FORGET_THE_GONE = """
-- KEYS: the stream   ARGV: the group, milliseconds a consumer was silent
for _, told in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local consumer = {}
  for i = 1, #told, 2 do consumer[told[i]] = told[i + 1] end
  if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
  end
end
"""
"""In one step, since a consumer that is deleted takes along what it took meanwhile."""

_Row = tuple[bytes, dict[bytes, bytes] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An entry that this consumer was given and has not settled."""

    entry_id: str
    deliveries: int
    """How often it was given to a consumer."""


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """One consumer's view of the stream; every method raises redis.RedisError when the server is away."""

    redis: "Redis"
    """A client that does not decode: an entry may hold anything."""
    stream: str
    consumer: str
    """Stays the same over restarts of its process, which so finds what it held."""
    batch: int
    terms: Terms
    visibility_timeout_seconds: int

    def prepare(self) -> None:
        """Creates stream and group where they are not there, and forgets consumers that are long gone."""
        with suppress(ResponseError):  # from 0: what was sent before there was a group is answered too
            self.redis.xgroup_create(self.stream, GROUP, id="0", mkstream=True)
        self.redis.eval(FORGET_THE_GONE, 1, self.stream, GROUP, str(GONE_SECONDS * 1000))

    def new(self) -> list[RequestEntry]:
        """Entries that no consumer was given before; none when none came within BLOCK_SECONDS."""
        streams = self.redis.xreadgroup(
            GROUP, self.consumer, {self.stream: ">"}, count=self.batch, block=int(BLOCK_SECONDS * 1000)
        )
        replies = cast("list[tuple[bytes, list[_Row]]] | None", streams)
        return self._entries(replies[0][1]) if replies else []

    def take_over(self) -> bool:
        """Takes what a consumer has held beyond the visibility timeout; whether there was any."""
        idle = self.visibility_timeout_seconds * 1000
        # JUSTID: taking a dead consumer's batch over is no delivery, so that only what is begun anew counts.
        taken = self.redis.xautoclaim(self.stream, GROUP, self.consumer, idle, count=self.batch, justid=True)
        return bool(taken)

    def held(self) -> list[Held]:
        """Some of what this consumer holds, the oldest first; empty when it holds nothing."""
        rows = self.redis.xpending_range(
            self.stream, GROUP, min="-", max="+", count=self.batch, consumername=self.consumer
        )
        pending = cast("list[dict[str, Any]]", rows)
        return [Held(entry_id=row["message_id"].decode(), deliveries=row["times_delivered"]) for row in pending]

    def deliver_again(self, entry_id: str) -> RequestEntry | None:
        """The entry, counted as given once more; None when it was deleted."""
        rows = self.redis.xclaim(self.stream, GROUP, self.consumer, 0, [entry_id])
        return self._entry_of(rows)

    def look_at(self, entry_id: str) -> RequestEntry | None:
        """The entry, not counted as given; None when it was deleted."""
        return self._entry_of(self.redis.xrange(self.stream, entry_id, entry_id))

    def drop(self, entry_id: str) -> None:
        """Holds an entry no longer of which nothing is left to be answered."""
        self.redis.xack(self.stream, GROUP, entry_id)

    def keep(self, entry_ids: Sequence[str]) -> None:
        """Begins the visibility timeout of entries anew that are held and wait for their turn."""
        if entry_ids:
            self.redis.xclaim(self.stream, GROUP, self.consumer, 0, list(entry_ids), justid=True)

    def hand_back(self) -> None:
        """Lets another consumer take what this one holds at once, as if the visibility timeout were over."""
        idle = self.visibility_timeout_seconds * 1000
        held: list[Any] = [each.entry_id for each in self.held()]
        if held:
            self.redis.xclaim(self.stream, GROUP, self.consumer, 0, held, idle=idle, justid=True)

    def _entry_of(self, rows: object) -> RequestEntry | None:
        entries = self._entries(cast("list[_Row]", rows))
        return entries[0] if entries else None

    def _entries(self, rows: Sequence[_Row]) -> list[RequestEntry]:
        # Servers before 7 tell of entries that were deleted, without fields.
        return [RequestEntry.of(name, fields, self.terms) for name, fields in rows if name and fields]
