"""Reply lists that nobody came for, gone when their time is over.

The server forgets keys whose time is over as it comes upon them, and looks for them only as long as it finds many.
Among a million ids that are known for an hour, answers that were to lie there for a minute would be found late, and
fill it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from .keys import Keys

if TYPE_CHECKING:
    from redis import Redis

FORGET = """
-- KEYS: results, how far this has come   ARGV: milliseconds a reply lies, most to look at, what its name begins with
local now = redis.call('TIME')
local newest = string.format('%.0f', now[1] * 1000 - ARGV[1])
local entries = redis.call('XRANGE', KEYS[1], '(' .. (redis.call('GET', KEYS[2]) or '0-0'), newest, 'COUNT', ARGV[2])
for _, entry in ipairs(entries) do redis.call('EXISTS', ARGV[3] .. entry[2][2]) end
if #entries > 0 then redis.call('SET', KEYS[2], entries[#entries][1], 'EX', 86400) end
return #entries
"""
"""Being looked at is enough for a key to go whose time is over; one that was laid again stays."""

LOOKED_AT = 500
"""Replies that are looked at in one step."""
STEPS = 20
"""Steps of one round, so that none takes for ever."""


@dataclass(frozen=True, kw_only=True)
class Replies:
    """Looks after them, in the order in which they were laid."""

    redis: "Redis"
    keys: Keys
    reply_ttl_seconds: int

    def forget(self) -> None:
        """Has the server come upon those whose time is over.

        Raises: redis.RedisError.
        """
        forget = self.redis.register_script(FORGET)
        for _ in range(STEPS):
            looked_at = forget(
                keys=[self.keys.results, self.keys.replies],
                args=[self.reply_ttl_seconds * 1000, LOOKED_AT, self.keys.reply("")],
            )
            if cast("int", looked_at) < LOOKED_AT:
                return
