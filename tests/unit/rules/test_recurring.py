"""Rules whose facts recur fire as all rules do, and are asked about once."""

from unittest.mock import patch

import pytest

from rules.conditions import Condition
from rules.engine import FactRefusedError, RuleEngine
from rules.evaluate import Evaluator
from rules.facts import declared
from rules.recurring import RecurringRules, recurs
from rules.ruleset import load_rule_set, packaged_defaults
from schemas.recommendation import FactValue

from .plain_python import PlainPython
from .strategies import random_facts, seeded, values_at_the_bounds

FACTS = packaged_defaults()["advice"]
RULES = {"the-engine": (Condition("engine", "eq", FACTS["engine"]), Condition("gpu_is_consumer", "eq", True))}


def test_remembered_rules_fire_as_plain_python_says() -> None:
    """On random facts, each asked about twice, an evaluator finds what plain Python does."""
    rules = load_rule_set().advice
    evaluator, plain, random = Evaluator(load_rule_set()), PlainPython(rules), seeded(41)
    values = values_at_the_bounds("advice", {rule.id: rule.when for rule in rules})
    several = [random_facts("advice", random, values) for _ in range(300)]
    expected = [plain.fired(facts) for facts in several]
    assert evaluator.advice(several) == expected
    assert evaluator.advice(several) == expected


def test_what_recurs_is_asked_once() -> None:
    """Facts that differ in nothing that the rules read are not told to the engine again; others are."""
    rules = RecurringRules("advice", RULES, declared("advice"))
    facts: dict[str, FactValue] = {**FACTS, "gpu_is_consumer": True}
    with patch.object(RuleEngine, "fired", autospec=True, side_effect=RuleEngine.fired) as told:
        assert rules.fired(facts) == rules.fired({**facts, "total_bytes": 7}) == {"the-engine"}
        assert rules.fired({**facts, "gpu_is_consumer": False}) == frozenset()
    assert told.call_count == 2


def test_one_is_not_taken_for_true() -> None:
    """A fact of another type than declared is refused also where an equal one is remembered."""
    rules = RecurringRules("advice", RULES, declared("advice"))
    assert rules.fired({**FACTS, "gpu_is_consumer": True})
    with pytest.raises(FactRefusedError):
        rules.fired({**FACTS, "gpu_is_consumer": 1})


def test_bytes_do_not_recur() -> None:
    """A rule that also reads bytes is asked about every time."""
    known = declared("advice")
    assert recurs(RULES["the-engine"], known)
    assert not recurs((*RULES["the-engine"], Condition("total_bytes", "gt", 1)), known)
