"""The support rules without the engine, quick enough to be asked about everything."""

from collections.abc import Iterable
from functools import reduce
from operator import and_

from rules.evaluate import flat
from rules.facts import SupportFacts
from rules.rule import SupportRule
from schemas.recommendation import FactValue


class PlainPython:
    """For every value of a fact, the rules it leaves possible, as the bits of an integer."""

    def __init__(self, rules: Iterable[SupportRule]) -> None:
        self._rules = tuple(rules)
        self._possible: dict[tuple[str, FactValue], int] = {}

    def fired(self, facts: SupportFacts) -> tuple[SupportRule, ...]:
        """The rules all of whose conditions hold."""
        return self._at(self._places(facts))

    def examples(self, several: Iterable[SupportFacts]) -> list[tuple[SupportFacts, tuple[SupportRule, ...]]]:
        """For every set of rules that fires on some of ``several``: the first on which it does, and the rules."""
        found: dict[int, SupportFacts] = {}
        for facts in several:
            found.setdefault(self._places(facts), facts)
        return [(facts, self._at(places)) for places, facts in found.items()]

    def _places(self, facts: SupportFacts) -> int:
        return reduce(and_, (self._leaves(name, value) for name, value in flat(facts).items()))

    def _at(self, places: int) -> tuple[SupportRule, ...]:
        return tuple(rule for place, rule in enumerate(self._rules) if places >> place & 1)

    def _leaves(self, name: str, value: FactValue) -> int:
        key = (name, value)
        if key not in self._possible:
            self._possible[key] = sum(
                1 << place
                for place, rule in enumerate(self._rules)
                if all(each.holds({name: value}) for each in rule.when if each.fact == name)
            )
        return self._possible[key]
