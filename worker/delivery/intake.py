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
SPARE_RESULTS = 1000
"""The newest results are not given up for room, read or not."""
TRIM_ABOVE = 0.85
"""Share of what the intake may fill from which on old results make room."""

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
        self._trim(used, backlog)
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
        idle = min((int(consumer["idle"]) for consumer in consumers), default=GONE_SECONDS * 1000)
        return int(group.get("lag") or 0) + int(group["pending"]) if idle < GONE_SECONDS * 1000 else 0

    def _trim(self, used: float, backlog: int) -> None:
        """Lets go of results that are old, and of more, oldest first, where room is short and nobody waits for them."""
        seconds, _ = self.redis.time()
        oldest = (seconds - self.result_ttl_seconds) * 1000
        self.redis.xtrim(self.keys.results, minid=oldest, approximate=True)
        if used > self.memory_fraction * TRIM_ABOVE:
            kept = int(self.redis.xlen(self.keys.results)) * 9 // 10
            self.redis.xtrim(self.keys.results, maxlen=max(kept, backlog, SPARE_RESULTS), approximate=False)
