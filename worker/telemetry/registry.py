"""The workers that report: who they are, what they serve, and when they were last heard of."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, cast

from pydantic import TypeAdapter, ValidationError

from ..keys import Keys

if TYPE_CHECKING:
    from redis import Redis

STALE_SECONDS = 60
"""A worker not heard of for this long is gone."""


@dataclass(frozen=True, kw_only=True)
class WorkerReport:
    """What one worker says of itself."""

    pid: int = field(default_factory=os.getpid)
    """Process of its supervisor."""
    host: str = field(default_factory=socket.gethostname)
    queues: Sequence[str]
    processes: int
    """Processes that answer what comes on queues."""
    stream_processes: int = 0
    """Processes that answer what comes on the stream of requests."""
    since: int = 0
    """When it was first heard of, in Unix seconds of the server's clock, as ``seen`` is."""
    versions: Mapping[str, str] = field(default_factory=dict)
    """What answers are given by; empty until it has answered a health check."""
    seen: int = 0
    """When it was last heard of."""


@dataclass(frozen=True, kw_only=True)
class Registry:
    """The list of workers on the server; every method raises redis.RedisError when the server is away."""

    redis: "Redis"
    keys: Keys

    def now(self) -> int:
        """Unix seconds by the server's clock, which all workers share."""
        return int(self.redis.time()[0])

    def report(self, name: str, report: WorkerReport) -> None:
        """Enters the worker ``name``, and strikes out those that are gone.

        One that comes back between being looked at and being struck out is entered again by its next report.
        """
        self.redis.hset(self.keys.workers, name, json.dumps(asdict(report)))
        if gone := [other for other, told in self._entries().items() if _is_stale(told, report.seen)]:
            self.redis.hdel(self.keys.workers, *gone)

    def leave(self, name: str) -> None:
        """Strikes out the worker ``name``."""
        self.redis.hdel(self.keys.workers, name)

    def workers(self) -> dict[str, WorkerReport]:
        """Those heard of lately, by name."""
        now = self.now()
        entries = sorted(self._entries().items())
        return {name: told for name, told in entries if told is not None and not _is_stale(told, now)}

    def _entries(self) -> dict[str, WorkerReport | None]:
        entries = cast("dict[str, str]", self.redis.hgetall(self.keys.workers))
        return {name: _read(text) for name, text in entries.items()}


_REPORT = TypeAdapter(WorkerReport)


def _read(text: str) -> WorkerReport | None:
    """The report in ``text``; None where there is none in it."""
    try:
        return _REPORT.validate_json(text)
    except ValidationError:
        return None


def _is_stale(told: WorkerReport | None, now: int) -> bool:
    return told is None or now - told.seen > STALE_SECONDS
