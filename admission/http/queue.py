"""The way from the front door to the queue, for those who can wait for an answer."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from schemas.errors import UnavailableError
from schemas.recommendation import ErrorAnswer, Recommendation
from worker.client import Client
from worker.settings import Settings

from .thread import BoundedThread

PATIENCE_SECONDS = 10.0
"""Longest that a caller waits for the queue's server."""

Result = TypeVar("Result")


class Queue:
    """A client of the queue in a thread of its own, opened when it is first needed and again after an outage."""

    def __init__(self, settings: Settings, *, max_waiting: int) -> None:
        self._settings = settings
        self._thread = BoundedThread("queue", max_waiting=max_waiting)
        self._client: Client | None = None

    async def submit(self, request: Mapping[str, Any]) -> str:
        """Puts ``request`` on the queue for admission; the id that its answer will carry.

        Raises: QueueFullError; UnavailableError.
        """
        return await self._asked(lambda client: client.submit(request, queue="admission"))

    async def answer(self, request_id: str) -> Recommendation | ErrorAnswer | None:
        """The answer to ``request_id``; None where there is none yet, or none any more.

        Raises: UnavailableError.
        """
        return await self._asked(lambda client: client.answer(request_id))

    async def _asked(self, ask: Callable[[Client], Result]) -> Result:
        return await self._thread.within(PATIENCE_SECONDS, lambda: self._with_client(ask))

    def _with_client(self, ask: Callable[[Client], Result]) -> Result:
        if self._client is None:
            self._client = Client.open(self._settings)
        try:
            return ask(self._client)
        except UnavailableError:
            self._client.close()
            self._client = None
            raise

    def close(self) -> None:
        """Gives the connections back."""
        self._thread.close()
        if self._client is not None:
            self._client.close()
