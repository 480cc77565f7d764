"""Rules evaluated without the engine, and without our reading of their conditions: straight from their YAML."""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import and_, ge, gt, le, lt
from typing import Any, Generic, TypeVar

import yaml

from rules.evaluate import flat
from rules.facts import SupportFacts
from rules.rule import Rule
from schemas.recommendation import FactValue

AnyRule = TypeVar("AnyRule", bound=Rule)

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "lt": lt,
    "lte": le,
    "gt": gt,
    "gte": ge,
    "ne": lambda value, operand: value != operand,
    "not_in": lambda value, operand: value not in operand,
}


class PlainPython(Generic[AnyRule]):
    """For every value of a fact the rules it leaves possible, as the bits of an integer.

    What compares two facts is asked last.
    """

    def __init__(self, rules: Iterable[AnyRule]) -> None:
        self._rules = tuple(rules)
        self._when = tuple(yaml.load(rule.origin.file.read_bytes(), yaml.CSafeLoader)["when"] for rule in self._rules)
        self._read = sorted({fact for when in self._when for fact in when})
        self._possible: dict[tuple[str, FactValue], int] = {}

    def fired(self, facts: Mapping[str, FactValue]) -> tuple[AnyRule, ...]:
        """The rules whose every condition holds, in order."""
        return self._at(self._places(facts), facts)

    def examples(self, several: Iterable[SupportFacts]) -> list[tuple[SupportFacts, tuple[AnyRule, ...]]]:
        """For every set of rules that is left possible by some of ``several``: the first that does, and the rules."""
        found: dict[int, SupportFacts] = {}
        for facts in several:
            found.setdefault(self._places(flat(facts)), facts)
        return [(facts, self._at(places, flat(facts))) for places, facts in found.items()]

    def _places(self, facts: Mapping[str, FactValue]) -> int:
        return reduce(and_, (self._leaves(fact, facts[fact]) for fact in self._read))

    def _at(self, places: int, facts: Mapping[str, FactValue]) -> tuple[AnyRule, ...]:
        return tuple(
            rule
            for place, rule in enumerate(self._rules)
            if places >> place & 1 and _pairs_hold(self._when[place], facts)
        )

    def _leaves(self, fact: str, value: FactValue) -> int:
        if (fact, value) not in self._possible:
            self._possible[fact, value] = sum(
                1 << place for place, when in enumerate(self._when) if fact not in when or _holds(when[fact], value)
            )
        return self._possible[fact, value]


def _holds(test: Any, value: FactValue) -> bool:  # noqa: ANN401 - whatever YAML spells
    """Whether ``value`` passes ``test``, comparisons with other facts left out."""
    if isinstance(test, list):
        return value in test
    if not isinstance(test, dict):
        return bool(value == test)
    return all(COMPARISONS[name](value, operand) for name, operand in test.items() if not isinstance(operand, dict))


def _pairs_hold(when: Mapping[str, Any], facts: Mapping[str, FactValue]) -> bool:
    """Whether the comparisons of two facts hold."""
    return all(
        COMPARISONS[name](facts[fact], facts[operand["fact"]])
        for fact, test in when.items()
        if isinstance(test, dict)
        for name, operand in test.items()
        if isinstance(operand, dict)
    )
