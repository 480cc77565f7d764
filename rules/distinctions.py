"""What rules can tell apart of facts: they fire alike on facts that stand alike in every comparison they make.

So many bytes more or less mean nothing to a rule that asks whether more than half is taken; a number is as good as the
range between two numbers it is compared with, and a name that no rule mentions as good as any other such name.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import call
from typing import Any

from schemas.recommendation import FactValue

from .conditions import Condition, OtherFact
from .facts import Declared
from .limits import MAX_INTEGER, unfit_string

_CLOSED_ABOVE = ("lte", "gt")
_CLOSED_BELOW = ("lt", "gte")


class Distinctions:
    """The comparisons that some rules make."""

    def __init__(self, conditions: Iterable[Condition], known: Declared) -> None:
        compared: dict[str, list[Condition]] = defaultdict(list)
        pairs: set[tuple[str, str]] = set()
        for condition in conditions:
            for name in condition.facts_read:
                compared[name].append(condition)
            if isinstance(condition.operand, OtherFact):
                pairs.add((condition.fact, condition.operand.name))
        self._names = sorted(compared)
        self._told_apart = [_told_apart(known[name].kind, compared[name]) for name in self._names]
        place = {name: number for number, name in enumerate(self._names)}
        self._pairs = [(place[one], place[other]) for one, other in sorted(pairs)]

    def class_of(self, facts: Mapping[str, FactValue]) -> tuple[object, ...]:
        """Equal for facts, each of its declared type, on which the same rules fire.

        What the engine refuses is in no class with what it takes.
        """
        told: list[Any] = [*map(facts.__getitem__, self._names)]
        orders = [(told[one] > told[other]) - (told[one] < told[other]) for one, other in self._pairs]
        return (*map(call, self._told_apart, told), *orders)


def _told_apart(kind: type, conditions: Iterable[Condition]) -> Callable[[Any], object]:
    """What makes of a fact's value as much as ``conditions`` see of it."""
    if kind is bool:
        return bool
    if kind is int:
        return partial(bisect_right, _starts(conditions))
    return _Names((value, value) for each in conditions for value in _constants(each)).__getitem__


def _starts(conditions: Iterable[Condition]) -> list[int]:
    """Where the ranges begin that ``conditions`` tell apart, those beyond the engine's bounds among them."""
    starts = {-MAX_INTEGER, MAX_INTEGER + 1}
    for condition in conditions:
        for constant in map(int, _constants(condition)):
            if condition.operator not in _CLOSED_ABOVE:
                starts.add(constant)
            if condition.operator not in _CLOSED_BELOW:
                starts.add(constant + 1)
    return sorted(starts)


def _constants(condition: Condition) -> tuple[FactValue, ...]:
    operand = condition.operand
    if isinstance(operand, OtherFact):
        return ()
    return operand if isinstance(operand, tuple) else (operand,)


class _Names(dict[Any, Any]):
    """The names that rules mention, each for itself."""

    def __missing__(self, name: str) -> str | None:
        """None for all other names, but for those that the engine does not take."""
        return name if unfit_string(name) else None
