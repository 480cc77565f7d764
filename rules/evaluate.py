"""The two passes over a rule set: which rules fire on which facts."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from schemas.recommendation import FactValue

from .engine import RuleEngine
from .facts import AdviceFacts, SupportFacts
from .rule import AdviceRule
from .ruleset import RuleSet
from .support_levels import SupportConclusions, conclude_support

_REMEMBERED = 65_536
"""Support answers kept: more than a catalogue has combinations of GPU generation, formats and engine."""


class Evaluator:
    """A rule set with an engine for each pass."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._support = {rule.id: rule for rule in rule_set.support}
        self._advice = {rule.id: rule for rule in rule_set.advice}
        self._support_engine = RuleEngine("support", {rule.id: rule.when for rule in rule_set.support})
        self._advice_engine = RuleEngine("advice", {rule.id: rule.when for rule in rule_set.advice})
        self._concluded = lru_cache(maxsize=_REMEMBERED)(self._conclude)

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

    def advice(self, facts: Sequence[AdviceFacts]) -> list[tuple[AdviceRule, ...]]:
        """The advice rules that fire on each of ``facts``, in order of their ids."""
        fired = self._advice_engine.fired([flat(each) for each in facts])
        return [tuple(self._advice[rule] for rule in sorted(ids)) for ids in fired]


def flat(facts: SupportFacts | AdviceFacts) -> Mapping[str, FactValue]:
    """Facts by name."""
    return vars(facts)
