"""What waits to be looked at: each key once, and never by two at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

K = TypeVar("K")


class Line(Generic[K]):
    """Keys in the order they came.

    One that comes again while it waits is the same; one that comes again while it is looked at is looked at once
    more afterwards.
    """

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[K] = asyncio.Queue()
        self._told: set[K] = set()
        self._taken: set[K] = set()

    def __len__(self) -> int:
        """How many wait or are looked at."""
        return len(self._told | self._taken)

    def put(self, key: K) -> None:
        """Has ``key`` looked at."""
        if key not in self._told:
            self._told.add(key)
            if key not in self._taken:
                self._waiting.put_nowait(key)

    @asynccontextmanager
    async def next(self) -> AsyncIterator[K]:
        """The key whose turn it is, for the block."""
        key = await self._waiting.get()
        self._told.discard(key)
        self._taken.add(key)
        try:
            yield key
        finally:
            self._taken.discard(key)
            if key in self._told:
                self._waiting.put_nowait(key)
