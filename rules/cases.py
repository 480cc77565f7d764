"""Every rule's own cases, run as requests are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.recommendation import FactValue

from .engine import RuleEngine
from .facts import Declared, PassName
from .rule import Case, Rule
from .ruleset import RuleSet


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFailure:
    """A case in which its rule did not do what the case says."""

    rule: Rule
    case: Case

    def __str__(self) -> str:
        did = "does not fire" if self.case.fires else "fires"
        return f"{self.case.origin}: {self.rule.id} {did}"


def run_cases(rule_set: RuleSet) -> list[CaseFailure]:
    """The cases that fail, in order of their rules' ids; facts not given take their default."""
    ours_lack = {fact.name: fact.default for fact in rule_set.metadata}
    return [
        *_failures("support", rule_set.support, rule_set.known("support"), {}),
        *_failures("advice", rule_set.advice, rule_set.known("advice"), ours_lack),
    ]


def count_cases(rule_set: RuleSet) -> int:
    """How many cases there are."""
    return sum(len(rule.cases) for rule in rule_set.rules)


def _failures(
    of: PassName, rules: Iterable[Rule], known: Declared, defaults: Mapping[str, FactValue]
) -> list[CaseFailure]:
    cases = [(rule, case) for rule in rules for case in rule.cases]
    engine = RuleEngine(of, {rule.id: rule.when for rule, _ in cases}, known)
    fired = engine.fired([{**defaults, **case.facts} for _, case in cases])
    engine.close()
    return [
        CaseFailure(rule=rule, case=case)
        for (rule, case), ids in zip(cases, fired, strict=True)
        if (rule.id in ids) is not case.fires
    ]
