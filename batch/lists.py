"""The lists in which cells are asked: many at once, for a message each would cost more than the answer."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from schemas.errors import InvalidRequestError
from schemas.recommendation import ErrorAnswer

from .cells import Cell
from .line import PREFIX, head

ITEMS = 100
"""Recommendations, alternatives among them, that a list asks for: a fraction of a second of work."""
CHARACTERS = 512 * 1024
"""A list is closed when it holds that much: messages have a bound, and grow by a third on the way."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A cell made ready to be asked."""

    cell: int
    head: str
    """What stands before the answer in the results."""
    request: dict[str, Any]
    characters: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A cell that cannot be asked."""

    cell: int
    head: str
    error: ErrorAnswer
    """Its answer."""


@dataclass(slots=True)
class CellList:
    """What is asked together."""

    list_id: str
    asked: list[Asked]
    open: dict[int, Asked] = field(default_factory=dict)
    """Those that are not answered yet, by cell."""
    sent: int = 0
    """How often it was sent."""
    due: float = 0.0
    """When it is sent again."""

    def __post_init__(self) -> None:
        self.open = {each.cell: each for each in self.asked}

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What is sent."""
        return [each.request for each in self.asked]


def prepared(cells: Iterable[Cell]) -> Iterator[Asked | Refused]:
    """The cells, ready to be asked, or refused."""
    entry, characters = None, 0
    for cell in cells:
        if cell.entry is not entry:
            # Once for all of its cells: a config may be as long as a message.
            entry, characters = cell.entry, len(json.dumps(cell.entry.model))
        yield _prepared(cell, characters)


def _prepared(cell: Cell, characters_of_model: int) -> Asked | Refused:
    asked = cell.asked()
    begin = head(cell.number, cell.entry.label, asked)
    request_id = f"{PREFIX}{cell.number}"
    if cell.error is not None:
        return Refused(cell=cell.number, head=begin, error=ErrorAnswer(request_id=request_id, error=cell.error))
    characters = len(begin) + characters_of_model
    if characters > CHARACTERS:
        error = InvalidRequestError(
            f"the request has {characters} characters, more than {CHARACTERS}", hint="name the model by path or repo"
        )
        return Refused(cell=cell.number, head=begin, error=ErrorAnswer.of(request_id, error))
    request = {"request_id": request_id, "model": cell.entry.model, **asked}
    return Asked(cell=cell.number, head=begin, request=request, characters=characters)


def grouped(cells: Iterable[Asked]) -> Iterator[list[Asked]]:
    """The cells in lists, as they come."""
    waiting: list[Asked] = []
    characters = weight = 0
    for each in cells:
        alternatives = each.request["alternatives"]
        cost = 1 + alternatives if isinstance(alternatives, int) and alternatives > 0 else 1
        if waiting and (weight + cost > ITEMS or characters + each.characters > CHARACTERS):
            yield waiting
            waiting, characters, weight = [], 0, 0
        waiting.append(each)
        characters += each.characters
        weight += cost
    if waiting:
        yield waiting
