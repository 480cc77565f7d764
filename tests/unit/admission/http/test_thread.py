"""The one thread: what it bounds, and what it leaves alone."""

import asyncio
import threading

import pytest

from admission.errors import DeadlineExceededError
from admission.http.thread import BoundedThread
from schemas.errors import UnavailableError
from tests.integration.polling import eventually


def test_what_is_not_begun_by_its_deadline_never_is() -> None:
    """Work that waits behind slow work is given up, and never done."""
    done: list[str] = []
    let_go = threading.Event()

    async def scenario() -> None:
        thread = BoundedThread("t", max_waiting=8)
        slow = asyncio.create_task(thread.within(5, lambda: let_go.wait(5)))
        await asyncio.sleep(0.02)
        with pytest.raises(DeadlineExceededError):
            await thread.within(0.02, lambda: done.append("late"))
        let_go.set()
        assert await slow
        assert await thread.within(5, lambda: "next") == "next"
        assert thread.waiting == 0
        thread.close()

    asyncio.run(scenario())
    assert done == []


def test_what_was_begun_counts_until_it_ends() -> None:
    """An answer given instead does not make room: otherwise slow work would pile up behind it."""
    let_go = threading.Event()

    async def scenario() -> None:
        thread = BoundedThread("t", max_waiting=1)
        with pytest.raises(DeadlineExceededError):
            await thread.within(0.02, lambda: let_go.wait(5))
        assert thread.busy_seconds > 0
        with pytest.raises(UnavailableError, match="wait already"):
            await thread.within(5, lambda: None)
        let_go.set()
        await asyncio.to_thread(eventually, lambda: thread.waiting == 0, within=5)
        assert await thread.within(5, lambda: "again") == "again"
        assert thread.busy_seconds == 0
        thread.close()

    asyncio.run(scenario())


def test_faults_are_those_of_the_work() -> None:
    """What the work raises is raised to who asked."""

    async def scenario() -> None:
        thread = BoundedThread("t", max_waiting=1)
        with pytest.raises(ZeroDivisionError):
            await thread.within(5, lambda: 1 / 0)
        thread.close()

    asyncio.run(scenario())
