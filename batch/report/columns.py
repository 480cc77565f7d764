"""Columns of a table with a value for every cell, as compact as their values allow."""

import math
import sys
from array import array
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)

_MOST_DISTINCT = 2**16
"""Distinct figures up to which each is written once, and every cell with the number of its own."""


class Codes(Generic[T]):
    """A column in which values recur: each is kept once, and a cell has its number."""

    def __init__(self, first: Iterable[T] = ()) -> None:
        self._numbers: dict[T, int] = {}
        self.cells = array("I")
        for value in first:
            self.number(value)

    def number(self, value: T) -> int:
        """The number of ``value``, the next one if it is new."""
        return self._numbers.setdefault(value, len(self._numbers))

    def add(self, value: T) -> None:
        """Give the next cell ``value``."""
        self.cells.append(self.number(value))

    @property
    def values(self) -> list[T]:
        """The distinct values, each at its number."""
        return list(self._numbers)


class Figures:
    """A column of numbers, kept exactly; a cell may have none."""

    def __init__(self) -> None:
        self.cells = array("d")

    def add(self, value: float | None) -> None:
        """Give the next cell ``value``."""
        self.cells.append(math.nan if value is None else value)

    def arrays(self, name: str) -> dict[str, "array[int] | array[float]"]:
        """The column as it is written: numbers of figures with the figures apart where few are distinct."""
        # A NaN is equal to no other and would be kept as often as it occurs.
        distinct = sorted({value for value in self.cells if not math.isnan(value)})
        if len(distinct) >= _MOST_DISTINCT:
            return {name: self.cells}
        number = {value: place for place, value in enumerate(distinct)}
        missing = len(distinct)
        codes = array("I", (number.get(value, missing) for value in self.cells))
        return {name: narrowed(codes), f"{name}.figures": array("d", [*distinct, math.nan])}


def narrowed(codes: "array[int]") -> "array[int]":
    """The same whole numbers in as few bytes each as the largest of them needs."""
    largest = max(codes, default=0)
    kind = "B" if largest < 2**8 else "H" if largest < 2**16 else "I"
    return codes if kind == codes.typecode else array(kind, codes)


def little_endian(cells: "array[int] | array[float]") -> bytes:
    """The bytes of ``cells`` in the order that pages read."""
    if sys.byteorder == "little":
        return cells.tobytes()
    swapped = cells[:]
    swapped.byteswap()
    return swapped.tobytes()
