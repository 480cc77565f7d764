"""The two passes over a rule set: which rules fire on which facts."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import cast

from schemas.recommendation import FactValue

from .conditions import Condition
from .facts import AdviceFacts, SupportFacts
from .remembered import RememberedRules
from .rule import AdviceRule, Rule
from .ruleset import RuleSet
from .support_levels import SupportConclusions, conclude_support

_REMEMBERED = 4096
"""Conclusions kept."""


class Evaluator:
    """A rule set, ready to be asked."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._support = {rule.id: rule for rule in rule_set.support}
        self._advice = {rule.id: rule for rule in rule_set.advice}
        known = rule_set.known("advice")
        self._support_rules = RememberedRules("support", _conditions(rule_set.support), rule_set.known("support"))
        self._advice_rules = RememberedRules("advice", _conditions(rule_set.advice), known)
        self._refusing_rules = RememberedRules("advice", _conditions(rule_set.refusing), known)
        self._concluded = lru_cache(maxsize=_REMEMBERED)(self._conclude)
        self.can_refuse = bool(rule_set.refusing)
        """Whether any rule refuses deployments."""

    def support(self, facts: SupportFacts) -> SupportConclusions:
        """What the support rules conclude from ``facts``."""
        return self._concluded(facts)

    def _conclude(self, facts: SupportFacts) -> SupportConclusions:
        return conclude_support(self._support[rule] for rule in self._support_rules.fired(flat(facts)))

    def advice(self, facts: Mapping[str, FactValue]) -> tuple[AdviceRule, ...]:
        """The advice rules that fire on ``facts``, in order of their ids."""
        return tuple(self._advice[rule] for rule in sorted(self._advice_rules.fired(facts)))

    def refuses(self, facts: Mapping[str, FactValue]) -> bool:
        """Whether an advice rule that refuses fires on ``facts``."""
        return bool(self._refusing_rules.fired(facts))

    def close(self) -> None:
        """Gives back what the engine holds in this process."""
        for rules in (self._support_rules, self._advice_rules, self._refusing_rules):
            rules.close()


def _conditions(rules: Iterable[Rule]) -> dict[str, tuple[Condition, ...]]:
    return {rule.id: rule.when for rule in rules}


def flat(facts: SupportFacts | AdviceFacts) -> dict[str, FactValue]:
    """Facts by name."""
    return facts._asdict() if isinstance(facts, SupportFacts) else cast(dict[str, FactValue], facts)
