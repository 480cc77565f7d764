"""Reading a results file that may be far larger than memory."""

import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.errors import InvalidRequestError

from .line import Outcome, outcome

NONE = -1

BUFFER_BYTES = 2**20
"""Read at a time: a line is some thousand bytes, and a buffer of the usual size holds one or two."""


def read_lines(path: Path) -> Iterator[tuple[int, str, Outcome]]:
    """Each line with where it begins, and what it comes to.

    Raises: InvalidRequestError naming the line that is none.
    """
    begin = 0
    for number, raw in enumerate(raw_lines(path), start=1):
        line = raw.decode(errors="replace")
        told = outcome(line)
        if told is None:
            raise InvalidRequestError(
                f"{path}:{number}: no line of a batch's results", hint="name a file that `weighbridge batch` wrote"
            )
        yield begin, line, told
        begin += len(raw)


def raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of a results file, as they are.

    Raises: InvalidRequestError where it cannot be read.
    """
    try:
        with path.open("rb", buffering=BUFFER_BYTES) as file:
            yield from file
    except OSError as error:
        raise InvalidRequestError(f"{path}: {error.strerror}", hint="name a results file that can be read") from None


def in_order(path: Path) -> Iterator[dict[str, Any]]:
    """The lines decoded, by the number of their cell: whoever answered first, the table is the same.

    Raises: InvalidRequestError naming the line that is none.
    """
    places: array[int] = array("q")
    for begin, _, told in read_lines(path):
        if told.cell >= len(places):
            places.extend([NONE] * (told.cell + 1 - len(places)))
        places[told.cell] = begin
    with path.open("rb") as file:
        for place in places:
            if place != NONE:
                file.seek(place)
                yield json.loads(file.readline())
