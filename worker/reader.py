"""The reading end of the results channel: alone, in a consumer group, or waiting for one answer."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from redis.exceptions import NoPermissionError, ResponseError

from .keys import Keys

if TYPE_CHECKING:
    from redis import Redis

Start = str
"""Where to begin: ``0`` is the oldest answer kept, ``$`` the next one to come, else after that entry id."""

SLICE_SECONDS = 1.0
"""Longest single blocking call, well under the socket timeout; a lost reply is noticed after it."""
READ_COUNT = 100
STALE_SECONDS = 60
"""An entry unacknowledged for this long is taken over from a consumer that is presumed gone."""

_Fields = dict[str, str]
_Rows = list[tuple[str, _Fields]]


def popped(redis: "Redis", replies: list[str], seconds: float) -> tuple[str, str] | None:
    """A reply list and what lay in it, waited for no longer than ``seconds``, nor than a slice; None if nothing came.

    Raises: redis.RedisError.
    """
    found = redis.blpop(replies, timeout=max(0.01, min(seconds, SLICE_SECONDS)))
    return None if found is None else cast("tuple[str, str]", tuple(found))


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An answer as it lies on the stream."""

    entry_id: str
    request_id: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads answers; every method raises redis.RedisError when the server is away."""

    redis: "Redis"
    keys: Keys

    def read(self, *, start: Start, block: float | None) -> Iterator[Entry]:
        """Entries after ``start`` until none came for ``block`` seconds.

        ``None`` waits for ever.  Each reader sees every entry; from now on is from the call on.
        """
        return self._read_after(self.newest() if start == "$" else start, block)

    def _read_after(self, last: str, block: float | None) -> Iterator[Entry]:
        waited = _Patience(block)
        while True:
            streams = self.redis.xread({self.keys.results: last}, count=READ_COUNT, block=waited.slice_milliseconds())
            rows = _rows(streams)
            for entry_id, fields in rows:
                last = entry_id
                yield _entry(entry_id, fields)
            if waited.is_over(found=bool(rows)):
                return

    def read_as(self, group: str, consumer: str, *, start: Start, block: float | None) -> Iterator[Entry]:
        """Entries no other consumer of ``group`` has, until none came for ``block`` seconds.

        An entry is acknowledged when the next one is asked for; one that was not is read again, by this
        consumer when it returns or by another after a while: at least once, so deduplicate by request id.
        """
        self._create(group, start)
        return self._read_as(group, consumer, block)

    def _read_as(self, group: str, consumer: str, block: float | None) -> Iterator[Entry]:
        for entry_id, fields in self._unfinished(group, consumer):
            yield _entry(entry_id, fields)
            self.redis.xack(self.keys.results, group, entry_id)
        waited = _Patience(block)
        next_claim = 0.0
        while True:
            rows: _Rows = []
            if time.monotonic() >= next_claim:
                rows = self._claimed(group, consumer)
                next_claim = time.monotonic() + (0.0 if rows else STALE_SECONDS / 2)
            if not rows:
                stream: dict[Any, Any] = {self.keys.results: ">"}
                block_for = waited.slice_milliseconds()
                rows = _rows(self.redis.xreadgroup(group, consumer, stream, count=READ_COUNT, block=block_for))
            for entry_id, fields in rows:
                yield _entry(entry_id, fields)
                self.redis.xack(self.keys.results, group, entry_id)
            if waited.is_over(found=bool(rows)):
                return

    def wait(self, request_id: str, *, timeout: float) -> str | None:
        """The body of the answer to ``request_id``; None if none came within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            # Looked up again after every slice: two may wait for one answer, and a reply is popped once.
            if (body := self.answered([request_id]).get(request_id)) is not None:
                return body
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            if (found := popped(self.redis, [self.keys.reply(request_id)], left)) is not None:
                return found[1]

    def answered(self, request_ids: Sequence[str]) -> dict[str, str]:
        """The bodies of those of ``request_ids`` that were answered and that the stream still keeps."""
        if not request_ids:
            return {}
        known = self.redis.mget([self.keys.done(request_id) for request_id in request_ids])
        entries = {
            request_id: entry
            for request_id, entry in zip(request_ids, cast("list[str | None]", known), strict=True)
            if entry is not None
        }
        with self.redis.pipeline(transaction=False) as pipeline:
            for entry in entries.values():
                pipeline.xrange(self.keys.results, entry, entry)
            try:
                found = cast("list[_Rows]", pipeline.execute())
            except NoPermissionError:
                # A producer may read its own answers only: those that come by their reply lists.
                return {}
        return {request_id: rows[0][1]["body"] for request_id, rows in zip(entries, found, strict=True) if rows}

    def newest(self) -> str:
        """The id of the newest entry, after which a reader that starts now begins.

        A reader that asked for ``$`` anew at each read would miss what came between two reads.
        """
        rows = cast("_Rows", self.redis.xrevrange(self.keys.results, count=1))
        return rows[0][0] if rows else "0-0"

    def _create(self, group: str, start: Start) -> None:
        try:
            self.redis.xgroup_create(self.keys.results, group, id=start, mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def _unfinished(self, group: str, consumer: str) -> Iterator[tuple[str, _Fields]]:
        last = "0"
        while rows := _rows(self.redis.xreadgroup(group, consumer, {self.keys.results: last}, count=READ_COUNT)):
            last = rows[-1][0]
            yield from ((entry_id, fields) for entry_id, fields in rows if fields)

    def _claimed(self, group: str, consumer: str) -> _Rows:
        idle = STALE_SECONDS * 1000
        reply = self.redis.xautoclaim(self.keys.results, group, consumer, idle, count=READ_COUNT)
        return [(entry_id, fields) for entry_id, fields in cast("_Rows", reply[1]) if fields]


class _Patience:
    """How long a reader that finds nothing goes on reading."""

    def __init__(self, block: float | None) -> None:
        self._block = block
        self._since = time.monotonic()

    def slice_milliseconds(self) -> int | None:
        """How long the next read may block; None does not block (a block of 0 would be for ever)."""
        if self._block is None:
            return int(SLICE_SECONDS * 1000)
        left = min(SLICE_SECONDS, self._since + self._block - time.monotonic())
        return int(left * 1000) if left >= 0.001 else None  # noqa: PLR2004 - one millisecond

    def is_over(self, *, found: bool) -> bool:
        """Whether to stop, told what the last read found."""
        if found:
            self._since = time.monotonic()
            return False
        return self._block is not None and time.monotonic() - self._since >= self._block


def _rows(streams: object) -> _Rows:
    """The rows of the one stream that was read; an idle read answers None or an empty list."""
    replies = cast("list[tuple[str, _Rows]] | None", streams)
    return replies[0][1] if replies else []


def _entry(entry_id: str, fields: _Fields) -> Entry:
    return Entry(entry_id=entry_id, request_id=fields.get("request_id", ""), body=fields.get("body", ""))
