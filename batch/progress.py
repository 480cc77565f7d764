"""How far a batch has come, how fast it goes, and how long it will take."""

import time
from collections import deque
from dataclasses import dataclass, field

from schemas.progress import BatchProgress

from .folder import BatchNote
from .tally import Tally

WINDOW_SECONDS = 10.0
"""What the rate is taken over."""
EVERY_SECONDS = 1.0
"""How often it is worth looking."""


@dataclass(kw_only=True)
class Progress:
    """Looks at a tally as it grows."""

    note: BatchNote
    tally: Tally
    _began: float = field(init=False)
    _looks: deque[tuple[float, int]] = field(default_factory=deque, init=False)
    """When it was looked, and how many cells were done."""

    def __post_init__(self) -> None:
        self._began = time.monotonic()

    def is_due(self) -> bool:
        """Whether it was last looked at a second ago, or never."""
        return not self._looks or time.monotonic() - self._looks[-1][0] >= EVERY_SECONDS

    def look(self, *, trouble: str | None = None) -> BatchProgress:
        """The batch at this moment, while it runs."""
        return self._told("running" if trouble is None else "waiting")

    def end(self) -> BatchProgress:
        """The batch when this run is over."""
        return self._told("finished" if self.tally.done == self.note.total else "stopped")

    def _told(self, state: str) -> BatchProgress:
        now = time.monotonic()
        self._looks.append((now, self.tally.done))
        while now - self._looks[0][0] > WINDOW_SECONDS:
            self._looks.popleft()
        then, before = self._looks[0]
        rate = (self.tally.done - before) / (now - then) if now > then else 0.0
        left = self.note.total - self.tally.done
        return BatchProgress.model_validate(
            {
                "batch": self.note.batch,
                "catalog": self.note.catalog,
                "state": state,
                "total": self.note.total,
                "done": self.tally.done,
                "errors": self.tally.errors,
                "verdicts": self.tally.by_verdict(),
                "cells_per_second": round(rate, 1),
                "seconds": int(now - self._began),
                "seconds_left": int(left / rate) if rate > 0 else None,
                "at": int(time.time()),
            }
        )
