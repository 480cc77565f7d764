"""What lies on the server at this moment: counts, ages and memory, and nothing of any request."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import ResponseError

from ..delivery.queue_lists import lists_of
from ..keys import Keys

if TYPE_CHECKING:
    from redis import Redis

COUNT = """
-- KEYS: ledger, messages held, stream of requests, stream of results, dead letters, intake, then the queues' lists
local now = tonumber(redis.call('TIME')[1])
local lists = {}
for i = 7, #KEYS do
  local oldest = redis.call('LINDEX', KEYS[i], -1)
  -- Not decoded: a message may be long, and is anybody's.
  local tag = oldest and string.match(oldest, '"delivery_tag": ?"([^"]+)"')
  local since = tag and redis.call('ZSCORE', KEYS[1], tag)
  lists[#lists + 1] = {redis.call('LLEN', KEYS[i]), since and now - math.floor(since) or -1}
end
local open = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {
  open[2] and now - math.floor(open[2]) or -1,
  redis.call('HLEN', KEYS[2]),
  redis.call('XLEN', KEYS[3]),
  redis.call('XLEN', KEYS[4]),
  redis.call('XLEN', KEYS[5]),
  redis.call('GET', KEYS[6]) or '',
  lists,
}
"""
"""One step in the server, so that the figures belong together; an age that is not known is -1."""


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What waits in one queue."""

    queue: str
    messages: int
    oldest_seconds: int | None
    """How long ago the message that is next was sent; None where none waits, or the ledger does not have it."""


@dataclass(frozen=True, kw_only=True)
class ConsumerGroup:
    """Those who share the entries of a stream."""

    name: str
    consumers: int
    pending: int
    """Entries delivered and not acknowledged."""
    lag: int | None
    """Entries not delivered yet; None where the server cannot tell."""


@dataclass(frozen=True, kw_only=True)
class ServerState:
    """One look at the server."""

    used_memory_bytes: int
    max_memory_bytes: int
    """0 where there is no limit."""
    intake_closed: str | None
    """Why no new requests are taken; None while they are."""
    queues: Sequence[Backlog]
    unacked_messages: int
    """Messages that workers hold."""
    oldest_open_seconds: int | None
    """How long ago the oldest message that is not acknowledged was sent; None where the ledger is empty."""
    requests_entries: int
    requests_groups: Sequence[ConsumerGroup]
    results_entries: int
    results_groups: Sequence[ConsumerGroup]
    dead_letters: int

    @property
    def memory_fraction(self) -> float | None:
        """Share of ``maxmemory`` in use; None where there is no limit."""
        return self.used_memory_bytes / self.max_memory_bytes if self.max_memory_bytes else None

    @property
    def requests_pending(self) -> int:
        """Entries of the stream of requests that are delivered and not acknowledged."""
        return sum(group.pending for group in self.requests_groups)


def read_server_state(redis: "Redis", keys: Keys, queues: Sequence[str]) -> ServerState:
    """The state of the server with its ``queues``.

    Raises: redis.RedisError.
    """
    lists = [(queue, keys.queue(name)) for queue in queues for name in lists_of(queue)]
    fixed = [keys.ledger, keys.unacked, keys.requests, keys.results, keys.dead, keys.intake]
    memory = redis.info("memory")
    reply = cast("list[Any]", redis.register_script(COUNT)(keys=[*fixed, *(name for _, name in lists)]))
    oldest, unacked, requests, results, dead, intake, depths = reply
    return ServerState(
        used_memory_bytes=int(memory["used_memory"]),
        max_memory_bytes=int(memory.get("maxmemory", 0)),
        intake_closed=_reason(intake),
        queues=[
            _backlog(queue, [told for (owner, _), told in zip(lists, depths, strict=True) if owner == queue])
            for queue in queues
        ],
        unacked_messages=unacked,
        oldest_open_seconds=_age(oldest),
        requests_entries=requests,
        requests_groups=_groups(redis, keys.requests),
        results_entries=results,
        results_groups=_groups(redis, keys.results),
        dead_letters=dead,
    )


def _backlog(queue: str, lists: Sequence[tuple[int, int]]) -> Backlog:
    return Backlog(
        queue=queue,
        messages=sum(depth for depth, _ in lists),
        oldest_seconds=_age(max(age for _, age in lists)),
    )


def _age(seconds: int) -> int | None:
    return None if seconds < 0 else seconds


def _reason(intake: str) -> str | None:
    """Why the intake is closed, in the word that its note has for it."""
    if not intake:
        return None
    try:
        return str(json.loads(intake)["reason"])
    except (ValueError, KeyError, TypeError):
        return "unknown"


def _groups(redis: "Redis", stream: str) -> list[ConsumerGroup]:
    try:
        rows = redis.xinfo_groups(stream)
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return []
    return [
        ConsumerGroup(name=row["name"], consumers=row["consumers"], pending=row["pending"], lag=row.get("lag"))
        for row in rows
    ]
