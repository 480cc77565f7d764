"""The results channel: each answer goes out once, whatever happens to the worker that computed it.

The stream is the channel of record.  The bell only says that something came; the reply list serves a caller
who waits for one answer; the done key is what makes a request id known, and names the entry with its answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

from .keys import Keys

if TYPE_CHECKING:
    from redis import Redis
    from redis.commands.core import Script

CHUNK_ITEMS = 100
"""Answers one script call publishes: few enough not to hold up the server, many enough to be cheap."""

PUBLISH_ONCE = """
-- KEYS: results stream, bell, then for each answer its done key and its reply list
-- ARGV: seconds a done key lives, seconds a reply lives, entries the stream keeps,
--       then for each answer its id and its body
local published = {}
for i = 1, (#KEYS - 2) / 2 do
  local done, reply = KEYS[2 * i + 1], KEYS[2 * i + 2]
  local id, body = ARGV[2 * i + 2], ARGV[2 * i + 3]
  local entry = redis.call('GET', done)
  if entry then
    published[i] = ''
    local kept = redis.call('XRANGE', KEYS[1], entry, entry)
    if kept[1] then body = kept[1][2][4] end
    redis.call('DEL', reply)
  else
    entry = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'request_id', id, 'body', body)
    redis.call('SET', done, entry, 'EX', ARGV[1])
    redis.call('PUBLISH', KEYS[2], id)
    published[i] = entry
  end
  redis.call('LPUSH', reply, body)
  redis.call('EXPIRE', reply, ARGV[2])
end
return published
"""
"""Atomic in the server, so a kill at any moment leaves an answer published whole or not at all.

A repeated id publishes nothing, but lays its first answer in the reply list again for the caller who waits; once
the stream has let go of it, the answer computed anew, which is the same under the same rules.
"""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """An answer as it is published."""

    request_id: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """The writing end."""

    redis: "Redis"
    keys: Keys
    result_ttl_seconds: int
    reply_ttl_seconds: int
    results_maxlen: int

    @cached_property
    def _publish_once(self) -> "Script":
        return self.redis.register_script(PUBLISH_ONCE)

    def publish(self, answers: Sequence[Encoded]) -> list[str | None]:
        """The stream entry of each answer; None where its request id was answered before.

        Raises: redis.RedisError; what was published until then stays so, and publishing again is harmless.
        """
        entries: list[str | None] = []
        for chunk in _chunks(answers):
            keys, arguments = self.call(chunk)
            published = cast("list[str]", self._publish_once(keys=keys, args=arguments))
            entries += (entry or None for entry in published)
        return entries

    def call(self, answers: Sequence[Encoded]) -> tuple[list[str], list[str | int]]:
        """KEYS and ARGV with which PUBLISH_ONCE publishes ``answers``, alone or as part of a larger script."""
        keys = [self.keys.results, self.keys.bell]
        arguments: list[str | int] = [
            self.result_ttl_seconds,
            self.reply_ttl_seconds,
            self.results_maxlen,
        ]
        for answer in answers:
            keys += (self.keys.done(answer.request_id), self.keys.reply(answer.request_id))
            arguments += (answer.request_id, answer.body)
        return keys, arguments

    def deliver(self, answers: Sequence[Encoded], reply_to: str | None) -> list[str]:
        """Publishes ``answers``, or hands them to who asked for that; the ids of those not published before.

        Raises: redis.RedisError, as both do.
        """
        if reply_to is not None and answers:
            self.hand(reply_to, answers)
            return [answer.request_id for answer in answers]
        entries = self.publish(answers)
        return [answer.request_id for answer, entry in zip(answers, entries, strict=True) if entry is not None]

    def hand(self, reply_to: str, answers: Sequence[Encoded]) -> None:
        """Lays ``answers``, together and as JSON Lines, in one reply list and nowhere else: for what is between two.

        Nothing is known of it afterwards, so whoever delivers a message twice has its answers twice.

        Raises: redis.RedisError.
        """
        with self.redis.pipeline(transaction=True) as pipeline:
            # At the end: what is handed over first is read first.
            pipeline.rpush(self.keys.reply(reply_to), "\n".join(answer.body for answer in answers))
            pipeline.expire(self.keys.reply(reply_to), self.reply_ttl_seconds)
            pipeline.execute()


def _chunks(answers: Sequence[Encoded]) -> Iterator[Sequence[Encoded]]:
    return (answers[start : start + CHUNK_ITEMS] for start in range(0, len(answers), CHUNK_ITEMS))
