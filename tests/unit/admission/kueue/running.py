"""A controller that runs for a block of a test."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from admission.kueue.cluster import Cluster
from admission.kueue.controller import Controller
from admission.kueue.kinds import KueueKinds
from admission.kueue.parameters import Parameters

from .api_server import KINDS
from .objects import Scripted

PATIENCE_SECONDS = 90.0

DEFAULT = Parameters(mode="warn", annotate=False)


@asynccontextmanager
async def controller(
    cluster: Cluster,
    decide: Scripted,
    *,
    kinds: KueueKinds = KINDS,
    default: Parameters = DEFAULT,
    concurrency: int = 4,
) -> AsyncIterator[Controller]:
    """A controller that is cancelled after the block, and must not have ended before."""
    made = Controller(cluster=cluster, kinds=kinds, decide=decide, default=default, concurrency=concurrency)
    task = asyncio.ensure_future(made.run())
    try:
        yield made
        assert not task.done()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(holds: Callable[[], object]) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.01)


async def settled(idle: Controller) -> None:
    """Waits until the controller has nothing left to look at, for long enough that watches have told it all."""
    still = 0
    while still < 10:
        await asyncio.sleep(0.02)
        still = 0 if idle.waiting else still + 1
