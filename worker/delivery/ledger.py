"""The ledger: every message that was sent and is not acknowledged yet, so that one that vanished is sent again.

Celery's transport takes a message from its queue and notes who holds it in two steps.  A worker that is killed between
them takes the message along (celery/celery#4354, celery/kombu#1836).  Sending and entering in the ledger are one step,
and so are acknowledging and striking out; what is in the ledger, and neither waits nor is held, is lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

from ..keys import Keys
from .queue_lists import lists_of

if TYPE_CHECKING:
    from redis import Redis

SEND = """
-- KEYS: the queue's list, ledger, messages of the ledger, what closes the intake
-- ARGV: message, delivery tag, whether it is new work, messages that may wait, share of the memory that may be used
if ARGV[3] == '1' then
  local closed = redis.call('GET', KEYS[4])
  if closed then return cjson.decode(closed).reason end
  if redis.call('LLEN', KEYS[1]) >= tonumber(ARGV[4]) then return 'queue' end
  local memory = redis.call('INFO', 'memory')
  local most = tonumber(string.match(memory, 'maxmemory:(%d+)'))
  if most > 0 and tonumber(string.match(memory, 'used_memory:(%d+)')) > most * tonumber(ARGV[5]) then
    return 'memory'
  end
end
local now = redis.call('TIME')
redis.call('ZADD', KEYS[2], now[1] .. '.' .. string.format('%06d', now[2]), ARGV[2])
redis.call('HSET', KEYS[3], ARGV[2], KEYS[1] .. ' ' .. ARGV[1])
redis.call('LPUSH', KEYS[1], ARGV[1])
return ''
"""
"""One step in the server: refused whole, or on its queue and in the ledger."""

SWEEP = """
-- KEYS: ledger, messages of the ledger, messages held, then the lists of every queue
-- ARGV: seconds a message may be gone, messages to look at, times one is sent again
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local newest = string.format('%.6f', now - ARGV[1])
local old = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', newest, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
if #old == 0 then return {{}, {}} end
local known, waiting_since = {}, {}
local function look_at(list)
  known[list] = true
  local next = redis.call('LINDEX', list, -1)
  if not next then return end
  local read, message = pcall(cjson.decode, next)
  local tag = read and type(message) == 'table' and type(message.properties) == 'table'
    and message.properties.delivery_tag
  waiting_since[list] = type(tag) == 'string' and tonumber(redis.call('ZSCORE', KEYS[1], tag)) or nil
end
for i = 4, #KEYS do look_at(KEYS[i]) end
local sent, given_up = {}, {}
for i = 1, #old, 2 do
  local tag, since = old[i], tonumber(old[i + 1])
  local record = redis.call('HGET', KEYS[2], tag)
  local list, message = string.match(record or '', '^(%S+) (.*)$')
  if not list or not known[list] then
    redis.call('ZREM', KEYS[1], tag)
    redis.call('HDEL', KEYS[2], tag, tag .. ':sent')
  elseif waiting_since[list] and since >= waiting_since[list] then
    -- Behind the next one to be taken: it waits its turn.
  elseif redis.call('HEXISTS', KEYS[3], tag) == 0 and not redis.call('LPOS', list, message) then
    if redis.call('HINCRBY', KEYS[2], tag .. ':sent', 1) > tonumber(ARGV[3]) then
      given_up[#given_up + 1] = {tag, list, message}
    else
      redis.call('ZADD', KEYS[1], string.format('%.6f', now), tag)
      redis.call('RPUSH', list, message)
      sent[#sent + 1] = tag
    end
  end
end
return {sent, given_up}
"""
"""One step in the server: no message is taken, or acknowledged, between looking for it and sending it again."""

LOOKED_AT = 100
"""Messages one sweep looks at: few enough not to hold up the server."""


STRIKE_OUT = """
-- KEYS: ledger, its messages, and for one that is held: messages held, since when   ARGV: delivery tag
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1], ARGV[1] .. ':sent')
if KEYS[3] then
  redis.call('HDEL', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[4], ARGV[1])
end
"""
"""What is dealt with.  A script, since a server without room takes nothing in a MULTI, not even what makes room."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep did."""

    sent: Sequence[str]
    """Delivery tags of what was sent again."""
    given_up: Sequence["GivenUp"]
    """What vanished each time it was sent; it stays in the ledger until it is struck out."""


class GivenUp(NamedTuple):
    """A message that is not sent again."""

    delivery_tag: str
    queue: str
    message: bytes


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The sweeping end; the transport enters what is sent, and strikes out what is acknowledged."""

    redis: "Redis"
    """A client that does not decode: messages are bytes."""
    keys: Keys
    queues: Sequence[str]
    max_deliveries: int

    def sweep(self, *, gone_seconds: int) -> Swept:
        """Sends again what was sent ``gone_seconds`` ago or more, and neither waits nor is held.

        Raises: redis.RedisError.
        """
        lists = {self.keys.queue(name): queue for queue in self.queues for name in lists_of(queue)}
        sweep = self.redis.register_script(SWEEP)
        reply = sweep(
            keys=[self.keys.ledger, self.keys.ledger_messages, self.keys.unacked, *lists],
            args=[gone_seconds, LOOKED_AT, self.max_deliveries],
        )
        sent, given_up = cast("tuple[list[bytes], list[tuple[bytes, bytes, bytes]]]", reply)
        return Swept(
            sent=[tag.decode() for tag in sent],
            given_up=[GivenUp(tag.decode(), lists[name.decode()], message) for tag, name, message in given_up],
        )

    def strike_out(self, delivery_tag: str) -> None:
        """Forgets a message that was dealt with without being acknowledged.

        Raises: redis.RedisError.
        """
        self.redis.eval(STRIKE_OUT, 2, self.keys.ledger, self.keys.ledger_messages, delivery_tag)
