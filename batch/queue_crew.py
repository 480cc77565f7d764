"""Lists answered by whoever works for the queue."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.client import Client

from .crew import Handed

LEAST_LISTS = 16
LISTS_A_PROCESS = 6
"""In hand of each process that works for the queue: what it holds ahead, and a few more that wait."""
LOOK_EVERY_SECONDS = 15.0


@dataclass(kw_only=True)
class QueueCrew:
    """The workers that a client reaches; their answers come by a reply list of the batch's own."""

    client: Client
    reply_to: str
    _lists: int = field(default=LEAST_LISTS, init=False)
    _next_look: float = field(default=0.0, init=False)

    def room(self) -> int:
        """A few lists for each process that reports."""
        if (now := time.monotonic()) >= self._next_look:
            self._next_look = now + LOOK_EVERY_SECONDS
            self._lists = max(LEAST_LISTS, LISTS_A_PROCESS * self.client.processes())
        return self._lists

    def send(self, list_id: str, requests: Sequence[Mapping[str, Any]]) -> None:
        """Puts the list on the queue."""
        self.client.send_list(requests, list_id=list_id, reply_to=self._reply_list(alone=len(requests) == 1))

    def take(self, seconds: float) -> Sequence[Handed]:
        """The answers to one list."""
        alone = self._reply_list(alone=True)
        found = self.client.take([self._reply_list(alone=False), alone], timeout=seconds)
        return [] if found is None else [Handed(answers=found[1], alone=found[0] == alone)]

    def _reply_list(self, *, alone: bool) -> str:
        """What is said of a request alone has a list of its own: it may not be taken for what was said of all."""
        return f"{self.reply_to}-alone" if alone else self.reply_to
