"""Whether new requests are taken: not when the server's memory, or those who read the results, could not bear them."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from redis.exceptions import OutOfMemoryError

from ..keys import Keys

if TYPE_CHECKING:
    from redis import Redis

CLOSED_FOR_SECONDS = 15
"""A closed intake opens by itself when no worker is left to watch it."""
GONE_SECONDS = 600
"""A consumer that asked for nothing for so long is not waited for."""
SPARE_SECONDS = 60
"""Results of this last while are not given up for room, whoever reads them or does not."""
TRIM_ABOVE = 0.85
"""Share of what the intake may fill from which on old results make room."""
TRIMMED_AT_ONCE = 2000
"""Results that are given up for room in one round, about."""

TRIM = """
-- KEYS: results
-- ARGV: milliseconds after which a silent consumer is not waited for, and in which results are spared; most that go
local function parts(id)
  local time, number = string.match(id, '^(%d+)%-(%d+)$')
  return tonumber(time), tonumber(number)
end
local function earlier(a, b)
  local time_a, number_a = parts(a)
  local time_b, number_b = parts(b)
  return time_a < time_b or (time_a == time_b and number_a < number_b)
end
local function named(told)
  local fields = {}
  for i = 1, #told, 2 do fields[told[i]] = told[i + 1] end
  return fields
end
local now = redis.call('TIME')
local first_kept = string.format('%.0f-0', now[1] * 1000 - ARGV[2])
for _, told in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local group = named(told)
  for _, about in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], group.name)) do
    if named(about).idle < tonumber(ARGV[1]) then
      local pending = redis.call('XPENDING', KEYS[1], group.name, '-', '+', 1)
      local needed = pending[1] and pending[1][1] or group['last-delivered-id']
      if earlier(needed, first_kept) then first_kept = needed end
    end
  end
end
return redis.call('XTRIM', KEYS[1], 'MINID', '~', first_kept, 'LIMIT', ARGV[3])
"""
"""One step in the server: nothing comes, and nobody reads, between looking for what is needed and letting go."""

Closed = Literal["memory", "results"]


@dataclass(frozen=True, kw_only=True)
class Intake:
    """Closes and opens the way in, for producers of every kind."""

    redis: "Redis"
    keys: Keys
    memory_fraction: float
    results_maxlen: int
    result_ttl_seconds: int
    retry_after_seconds: int

    def watch(self) -> Closed | None:
        """Looks once, lets go of old results, and says why the intake is closed, if it is.

        Raises: redis.RedisError.
        """
        used = self.memory_used()
        backlog = self._backlog()
        self._trim(used)
        reason: Closed | None = None
        if used > self.memory_fraction:
            reason = "memory"
        elif 2 * backlog > self.results_maxlen:
            reason = "results"
        if reason is None:
            self.redis.delete(self.keys.intake)
        else:
            # A server without any room refuses what producers send by itself.
            with suppress(OutOfMemoryError):
                self.redis.set(self.keys.intake, self._told(reason), ex=CLOSED_FOR_SECONDS)
        return reason

    def memory_used(self) -> float:
        """The share of the server's ``maxmemory`` in use; 0.0 where it has none."""
        memory = self.redis.info("memory")
        return int(memory["used_memory"]) / int(memory["maxmemory"]) if int(memory["maxmemory"]) else 0.0

    def _told(self, reason: Closed) -> str:
        return json.dumps({"reason": reason, "retry_after": self.retry_after_seconds})

    def _backlog(self) -> int:
        """Results that the slowest group of consumers has yet to read or acknowledge; groups nobody is in count not."""
        if not self.redis.exists(self.keys.results):
            return 0
        groups = self.redis.xinfo_groups(self.keys.results)
        return max((self._behind(group) for group in groups), default=0)

    def _behind(self, group: dict[str, Any]) -> int:
        consumers = self.redis.xinfo_consumers(self.keys.results, group["name"])
        if min((int(consumer["idle"]) for consumer in consumers), default=GONE_SECONDS * 1000) >= GONE_SECONDS * 1000:
            return 0
        lag = group.get("lag")
        if lag is None:  # the server cannot always tell
            lag = self.redis.xlen(self.keys.results)
        return int(lag) + int(group["pending"])

    def _trim(self, used: float) -> None:
        """Lets go of results that are old, and of more, oldest first, where room is short and nobody waits for them."""
        seconds, _ = self.redis.time()
        oldest = (seconds - self.result_ttl_seconds) * 1000
        self.redis.xtrim(self.keys.results, minid=oldest, approximate=True)
        if used > self.memory_fraction * TRIM_ABOVE and self.redis.exists(self.keys.results):
            trim = self.redis.register_script(TRIM)
            trim(keys=[self.keys.results], args=[GONE_SECONDS * 1000, SPARE_SECONDS * 1000, TRIMMED_AT_ONCE])
