"""The axes of a table beside model and GPU: what its requests differ in."""

from array import array
from collections.abc import Iterator, Mapping

from pydantic import JsonValue

from schemas.request import ModelBySize, SizingRequest

from ..json_text import json_text
from .columns import Codes

_NO_AXES = ("model", "request_id", "hardware", "candidate_gpus", "alternatives", "locale", "metadata")
"""Fields of a request that are no axis: rows and columns of the matrix, and what moves no figure."""


class Axes:
    """What each cell asked for, field by field; what it left out is what the contract says for it."""

    def __init__(self) -> None:
        self._defaults = dict(_leaves(SizingRequest(model=ModelBySize(num_parameters=1)).model_dump(mode="json")))
        self._found: dict[str, Codes[str]] = {}
        self._cells = 0

    def add(self, request: Mapping[str, JsonValue]) -> None:
        """Give the next cell what ``request`` asks for."""
        asked = dict(_leaves(request))
        for path in asked.keys() - self._found.keys():
            self._found[path] = self._of_cells_before(path)
        for path, values in self._found.items():
            values.add(json_text(asked.get(path, self._defaults.get(path))))
        self._cells += 1

    def _of_cells_before(self, path: str) -> Codes[str]:
        values = Codes([json_text(self._defaults.get(path))])
        values.cells = array("I", bytes(self._cells * values.cells.itemsize))
        return values

    @property
    def varying(self) -> dict[str, Codes[str]]:
        """The fields in which cells differ, by their dotted path; values are JSON texts."""
        return {path: values for path, values in sorted(self._found.items()) if len(set(values.cells)) > 1}

    @property
    def fixed(self) -> dict[str, str]:
        """The fields that every cell asks for alike, with their value as JSON text."""
        same = {path: values for path, values in sorted(self._found.items()) if len(set(values.cells)) == 1}
        return {path: values.values[values.cells[0]] for path, values in same.items()}


def _leaves(fields: Mapping[str, JsonValue], within: str = "") -> Iterator[tuple[str, JsonValue]]:
    for name, value in fields.items():
        if not within and name in _NO_AXES:
            continue
        path = f"{within}{name}"
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{path}.")
        else:
            yield path, value
