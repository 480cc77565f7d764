"""A child process that is started again whenever it ends."""

import signal
import time
from collections.abc import Callable

from .process import WorkerProcess

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
"""What ran for so long did not end because it was started."""


class KeptAlive:
    """A child, and when it is to be started again."""

    def __init__(
        self, process: WorkerProcess, name: str, say: Callable[[str], None], *, makes_room: bool = False
    ) -> None:
        self._process = process
        self._name = name
        self._say = say
        self._makes_room = makes_room
        """Whether it ends itself, with status 0, for a fresh one to take its place."""
        self._pause = FIRST_PAUSE_SECONDS
        self._due: float | None = None
        self._since = time.monotonic()

    def look(self) -> None:
        """Starts it again if it ended, after a pause that grows."""
        status = self._process.exit_status()
        if status is None:
            return
        if status == 0 and self._makes_room:
            self._process.start()
        elif self._due is None:
            if time.monotonic() - self._since > HEALTHY_SECONDS:
                self._pause = FIRST_PAUSE_SECONDS
            pause = self._pause
            # A process on the stream that a request ended must soon come to those behind it, however many follow.
            if status >= 0 or not self._makes_room:
                self._pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            self._due = time.monotonic() + pause
            self._say(f"{self._name} ended with {_told(status)}; starting it again in {pause:.0f} s")
        elif time.monotonic() >= self._due:
            self._due = None
            self._since = time.monotonic()
            self._process.start()


def _told(status: int) -> str:
    return f"status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"
