"""The two passes over a rule set: which rules fire on which facts."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import cast

from schemas.recommendation import FactValue

from .conditions import Condition
from .engine import RuleEngine
from .facts import AdviceFacts, SupportFacts
from .recurring import RecurringRules, recurs
from .rule import AdviceRule, Rule
from .ruleset import RuleSet
from .support_levels import SupportConclusions, conclude_support

_REMEMBERED = 65_536
"""Support answers kept: more than a catalogue has combinations of GPU generation, formats and engine."""


class Evaluator:
    """A rule set with an engine for each pass; rules of the second whose facts recur are apart."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._support = {rule.id: rule for rule in rule_set.support}
        self._advice = {rule.id: rule for rule in rule_set.advice}
        known, advice = rule_set.known("advice"), _conditions(rule_set.advice)
        recurring = {rule: conditions for rule, conditions in advice.items() if recurs(conditions, known)}
        others = {rule: conditions for rule, conditions in advice.items() if rule not in recurring}
        self._support_engine = RuleEngine("support", _conditions(rule_set.support))
        self._advice_engine = RuleEngine("advice", others, known)
        self._recurring_advice = RecurringRules("advice", recurring, known)
        self._refusing_engine = RuleEngine("advice", _conditions(rule_set.refusing), known)
        self._concluded = lru_cache(maxsize=_REMEMBERED)(self._conclude)
        self.can_refuse = bool(rule_set.refusing)
        """Whether any rule refuses deployments."""

    def support(self, facts: SupportFacts) -> SupportConclusions:
        """What the support rules conclude from ``facts``; the same facts are asked about only once."""
        return self._concluded(facts)

    def support_of_all(self, facts: Sequence[SupportFacts]) -> list[SupportConclusions]:
        """What the support rules conclude from each of ``facts``, told to the engine together."""
        fired = self._support_engine.fired([flat(each) for each in facts])
        return [conclude_support(self._support[rule] for rule in ids) for ids in fired]

    def _conclude(self, facts: SupportFacts) -> SupportConclusions:
        (concluded,) = self.support_of_all([facts])
        return concluded

    def advice(self, facts: Sequence[Mapping[str, FactValue]]) -> list[tuple[AdviceRule, ...]]:
        """The advice rules that fire on each of ``facts``, in order of their ids."""
        fired = self._advice_engine.fired(facts)
        return [
            tuple(self._advice[rule] for rule in sorted(ids | self._recurring_advice.fired(each)))
            for ids, each in zip(fired, facts, strict=True)
        ]

    def refuses(self, facts: Mapping[str, FactValue]) -> bool:
        """Whether an advice rule that refuses fires on ``facts``."""
        return any(self._refusing_engine.fired([facts]))

    def close(self) -> None:
        """Gives back what the engines hold in this process."""
        for engine in (self._support_engine, self._advice_engine, self._recurring_advice, self._refusing_engine):
            engine.close()


def _conditions(rules: Iterable[Rule]) -> dict[str, tuple[Condition, ...]]:
    return {rule.id: rule.when for rule in rules}


def flat(facts: SupportFacts | AdviceFacts) -> dict[str, FactValue]:
    """Facts by name."""
    return facts._asdict() if isinstance(facts, SupportFacts) else cast(dict[str, FactValue], facts)
