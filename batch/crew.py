"""Those who answer lists of cells: the workers of a queue, or processes of this machine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Handed:
    """Answers that came together."""

    answers: Sequence[str]
    """As JSON."""
    alone: bool
    """Whether they are to a list of one request."""


class Crew(Protocol):
    """Takes lists, and hands answers out as they come, in any order, some perhaps twice."""

    def room(self) -> int:
        """How many lists it should have in hand, so that nobody is idle and no more wait than need be."""
        ...

    def send(self, list_id: str, requests: Sequence[Mapping[str, Any]]) -> None:
        """Has a list answered.

        Raises: QueueFullError; UnavailableError, with the list sent or not.
        """
        ...

    def take(self, seconds: float) -> Sequence[Handed]:
        """The answers that came within ``seconds``; none if none did.

        Raises: UnavailableError.
        """
        ...
