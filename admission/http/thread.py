"""A thread that does one thing after the other for an event loop, which waits for none of it longer than it may."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from schemas.errors import UnavailableError

from ..errors import DeadlineExceededError

Result = TypeVar("Result")


class BoundedThread:
    """One thread, and at most so many pieces of work that wait for it or are being done.

    What is not begun by its deadline never is.  What was begun goes on behind the answer that was given instead, and
    counts until it ends.
    """

    def __init__(self, name: str, *, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._max_waiting = max_waiting
        self._open: set[Future[Any]] = set()
        self._began: float | None = None

    @property
    def waiting(self) -> int:
        """Pieces of work that wait or are being done."""
        return len(self._open)

    @property
    def busy_seconds(self) -> float:
        """For how long the thread has been at the piece of work that it is doing."""
        began = self._began
        return 0.0 if began is None else time.monotonic() - began

    async def within(self, seconds: float, work: Callable[[], Result]) -> Result:
        """What ``work`` returns.

        Raises: DeadlineExceededError after ``seconds``; UnavailableError at once where too much waits already; what
        ``work`` raises.
        """
        if len(self._open) >= self._max_waiting:
            raise UnavailableError(f"{self._max_waiting} others wait already", hint="ask again, or run more replicas")
        future = self._pool.submit(self._timed, work)
        self._open.add(future)
        future.add_done_callback(self._open.discard)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), max(0.0, seconds))
        except TimeoutError:
            raise DeadlineExceededError(f"it could not be weighed within {seconds:.2f} s") from None

    def _timed(self, work: Callable[[], Result]) -> Result:
        self._began = time.monotonic()
        try:
            return work()
        finally:
            self._began = None

    def close(self) -> None:
        """Begins nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
