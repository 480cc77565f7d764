"""How long a request may take: told to stop at the soft limit, ended with its process at the hard one."""

import math
import signal
import threading
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

AGAIN_SECONDS = 1.0
"""A request that swallowed its signal is sent another."""


# Neither is an Exception: what is caught as a fault of a request must not hide that its time is over.
class OutOfTimeError(BaseException):
    """The soft limit is over."""


class InterruptedByStopError(BaseException):
    """The process was told to stop, and what it gives to the request in hand is over."""


class TimeLimits:
    """The limits of this process, whose main thread answers; ``tick`` is for another thread.

    The soft limit is an exception raised in the main thread, which waits for the interpreter; the hard limit is an
    alarm that the kernel keeps, so that code in C that never returns to the interpreter ends as well.
    """

    def __init__(self, *, soft_seconds: float, hard_seconds: float) -> None:
        self._soft_seconds = soft_seconds
        self._hard_seconds = hard_seconds
        self._out_of_time_at = math.inf
        self._stop_at = math.inf
        self._main = threading.main_thread().ident or 0
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGUSR1, self._interrupt)

    def bound(self, work: Callable[[], Result]) -> Result:
        """What ``work`` returns.

        Raises: OutOfTimeError; InterruptedByStopError.
        """
        try:
            try:
                self._out_of_time_at = time.monotonic() + self._soft_seconds
                signal.setitimer(signal.ITIMER_REAL, self._hard_seconds)
                return work()
            finally:
                self._end()
        except (OutOfTimeError, InterruptedByStopError):
            self._end()  # the signal may have come at the end itself
            raise

    def stop_within(self, seconds: float) -> None:
        """Gives the request in hand no more than this."""
        self._stop_at = time.monotonic() + seconds

    def tick(self) -> None:
        """Interrupts the request in hand when its time is over."""
        if self._is_over(time.monotonic()):
            signal.pthread_kill(self._main, signal.SIGUSR1)

    def _is_over(self, now: float) -> bool:
        in_hand = self._out_of_time_at < math.inf
        return in_hand and now >= min(self._out_of_time_at, self._stop_at)

    def _interrupt(self, *_: object) -> None:
        # In the main thread: what was in hand at the tick may be answered by now.
        now = time.monotonic()
        if not self._is_over(now):
            return
        if now >= self._out_of_time_at:
            self._out_of_time_at = now + AGAIN_SECONDS
            raise OutOfTimeError
        self._stop_at = now + AGAIN_SECONDS
        raise InterruptedByStopError

    def _end(self) -> None:
        self._out_of_time_at = math.inf
        signal.setitimer(signal.ITIMER_REAL, 0)
