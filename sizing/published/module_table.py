"""Which of a checkpoint's lists a module path meets first."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from .modules import NUMBER, Pattern, Patterns, canonical

Value = TypeVar("Value")

_BUCKET_DEPTH = 2


@dataclass(frozen=True, eq=False)
class ModuleTable(Generic[Value]):
    """Lists of patterns in order, each with what holds for the modules that meet it first."""

    entries: tuple[tuple[Patterns, Value], ...]
    _whole: dict[str, int] = field(init=False, default_factory=dict)
    """Place of each whole name that begins where paths begin."""
    _anywhere: dict[str, int] = field(init=False, default_factory=dict)
    """Place of each whole name that may stand anywhere."""
    _lengths: set[int] = field(init=False, default_factory=set)
    """How many parts those names have."""
    _starred: dict[tuple[str, ...], list[tuple[int, Pattern]]] = field(init=False, default_factory=dict)
    """The others and their places, by the first whole parts of the paths they match."""
    _found: dict[str, tuple[Value] | None] = field(init=False, default_factory=dict)
    """What was found for modules: no more than a model has."""

    def __post_init__(self) -> None:
        for place, (patterns, _) in reversed(list(enumerate(self.entries))):
            self._whole.update(dict.fromkeys(patterns.whole, place))
            self._anywhere.update(dict.fromkeys(patterns.anywhere, place))
        self._lengths.update(name.count(".") + 1 for name in self._anywhere)
        for place, (patterns, _) in enumerate(self.entries):
            for pattern in patterns.starred:
                literal = pattern.pieces[0].split(".")[:-1]
                self._starred.setdefault(tuple(literal[:_BUCKET_DEPTH]), []).append((place, pattern))

    def find(self, module: str) -> tuple[Value] | None:
        """What holds for ``module``, a dotted path, in a tuple of one; None when no entry matches it."""
        if module not in self._found:
            place = min(self._places(canonical(module)), default=None)
            self._found[module] = None if place is None else (self.entries[place][1],)
        return self._found[module]

    def _places(self, path: str) -> Iterator[int]:
        """Places of the entries that match ``path``, which is canonical."""
        parts = path.split(".")
        # Of all the runs of parts in the path, only those as long as some name are looked up.
        for length in self._lengths:
            for start in range(len(parts) - length + 1):
                name = ".".join(parts[start : start + length])
                if name in self._anywhere:
                    yield self._anywhere[name]
        for length in range(1, len(parts) + 1) if self._whole else ():
            name = ".".join(parts[:length])
            if name in self._whole:
                yield self._whole[name]
        closed = path + "."
        for depth in range(min(len(parts), _BUCKET_DEPTH) + 1):
            for place, pattern in self._starred.get(tuple(parts[:depth]), ()):
                if pattern.matches(closed):
                    yield place

    def kinds_below(self, stem: str, count: int) -> list[Hashable]:
        """For each of the modules ``stem.0`` to ``stem.{count - 1}``, what tells apart the modules below it.

        Of two that are equal, modules that have the same path below them are alike in this table.  Paths below must
        not name ``stem`` again.
        """
        stem, numbers = canonical(stem) + ".", [str(number) for number in range(count)]
        own: defaultdict[str, set[tuple[int, Hashable]]] = defaultdict(set)
        for place, (patterns, _) in enumerate(self.entries):
            for number, rest in _by_number(patterns, stem, numbers):
                own[number].add((place, rest))
        # Numbered, because what tells apart is long to compare.
        kinds: dict[frozenset[tuple[int, Hashable]], int] = {}
        return [kinds.setdefault(frozenset(own[number]), len(kinds)) for number in numbers]


def _by_number(patterns: Patterns, stem: str, numbers: list[str]) -> Iterator[tuple[str, Hashable]]:
    """The numbers after ``stem`` that ``patterns`` ask for, each with what they ask for below it.

    Patterns that ask for no number there are left out: they say the same whatever it is.
    """
    for name in patterns.whole:
        if name.startswith(stem):
            number, _, rest = name[len(stem) :].partition(".")
            yield number, rest
    for name in patterns.anywhere:
        for found in NUMBER.finditer(name):
            if f".{stem}".endswith(f".{name[: found.start()]}" if found.start() else ""):
                yield found.group(), name[found.end() + 1 :]
    for pattern in patterns.starred:
        for number in _numbers_of(pattern, stem, numbers):
            below = pattern.below(f"{stem}{number}.")
            if below is not None:
                yield number, below


def _numbers_of(pattern: Pattern, stem: str, numbers: list[str]) -> Sequence[str]:
    """Of the numbers after ``stem``, those that may decide whether ``pattern`` matches."""
    first = pattern.pieces[0]
    if first.startswith(stem):
        begun, point, _ = first[len(stem) :].partition(".")
        if begun:
            return (begun,) if point else [number for number in numbers if number.startswith(begun)]
    return pattern.asked_of(numbers)
