"""Rules that remember what fired fire as ever, and ask the engine once about what they cannot tell apart."""

from collections.abc import Callable
from unittest.mock import patch

import pytest

from rules import remembered
from rules.conditions import Condition, OtherFact, all_hold
from rules.distinctions import Distinctions
from rules.engine import FactRefusedError, RuleEngine
from rules.evaluate import Evaluator
from rules.facts import declared
from rules.remembered import RememberedRules
from rules.ruleset import load_rule_set, packaged_defaults
from schemas.recommendation import FactValue

from .plain_python import PlainPython
from .strategies import known_values, random_conditions, random_facts, seeded, values_at_the_bounds

FACTS: dict[str, FactValue] = {
    **packaged_defaults()["advice"],
    "gpu": "H100-SXM-80GB",
    "gpu_count": 4,
    "gpu_is_consumer": True,
    "total_bytes": 10**9,
    "usable_bytes": 10**10,
}
CONDITIONS = (
    Condition("gpu", "ne", "RTX 3090"),
    Condition("gpu_count", "gt", 2),
    Condition("gpu_is_consumer", "eq", True),
    Condition("total_bytes", "lt", OtherFact("usable_bytes")),
)
KNOWN = declared("advice")


def rules_of(*conditions: Condition) -> RememberedRules:
    """One rule, which needs all of ``conditions``."""
    return RememberedRules("advice", {"the-rule": conditions}, KNOWN)


def told_to_the_engine(ask: Callable[[], object]) -> int:
    """How often the engine is asked while ``ask`` runs."""
    with patch.object(RuleEngine, "fired_in", autospec=True, side_effect=RuleEngine.fired_in) as engine:
        ask()
    return int(engine.call_count)


def test_remembered_rules_fire_as_plain_python_says() -> None:
    """On random facts, each asked about twice, an evaluator finds what plain Python does."""
    rules = load_rule_set().advice
    evaluator, plain, random = Evaluator(load_rule_set()), PlainPython(rules), seeded(41)
    values = values_at_the_bounds("advice", {rule.id: rule.when for rule in rules})
    several = [random_facts("advice", random, values) for _ in range(300)]
    expected = [plain.fired(facts) for facts in several]
    assert [evaluator.advice(facts) for facts in several] == expected
    assert [evaluator.advice(facts) for facts in several] == expected


@pytest.mark.parametrize("seed", range(4))
def test_facts_of_one_class_fire_the_same_random_rules(seed: int) -> None:
    """Whatever the conditions, facts are in one class only where every condition says the same of them."""
    random = seeded(seed)
    conditions = [each for _ in range(3) for each in random_conditions("advice", random)]
    distinctions, values = Distinctions(conditions, KNOWN), known_values("advice")
    answers: dict[tuple[object, ...], set[tuple[bool, ...]]] = {}
    asked = 4000
    for _ in range(asked):
        facts = random_facts("advice", random, values)
        answers.setdefault(distinctions.class_of(facts), set()).add(tuple(each.holds(facts) for each in conditions))
    assert all(len(each) == 1 for each in answers.values())
    assert len(answers) < asked


@pytest.mark.parametrize("seed", range(3))
def test_random_rules_fire_as_plain_python_says(seed: int) -> None:
    """Rules of every kind, which forget now and then, on facts of few values, so that most are asked about again."""
    random = seeded(seed)
    rules = {f"rule-{number}": random_conditions("advice", random) for number in range(20)}
    remembering = RememberedRules("advice", rules, KNOWN)
    values = {name: some[:3] for name, some in known_values("advice").items()}
    with patch.object(remembered, "_REMEMBERED", 50):
        for _ in range(500):
            facts = random_facts("advice", random, values)
            assert remembering.fired(facts) == {rule for rule, each in rules.items() if all_hold(each, facts)}


@pytest.mark.parametrize(
    "changes",
    [
        {"model_name": "another"},
        {"gpu": "A100-SXM-80GB"},
        {"gpu_count": 2**40},
        {"total_bytes": 10**9 + 1, "usable_bytes": 10**9 + 2},
    ],
)
def test_what_no_rule_tells_apart_is_asked_once(changes: dict[str, FactValue]) -> None:
    """Facts that are not read, other names, numbers in the same range, and figures in the same order."""
    rules = rules_of(*CONDITIONS)
    assert rules.fired(FACTS) == {"the-rule"}
    assert told_to_the_engine(lambda: rules.fired({**FACTS, **changes})) == 0
    assert rules.fired({**FACTS, **changes}) == {"the-rule"}


@pytest.mark.parametrize(
    "changes",
    [{"gpu": "RTX 3090"}, {"gpu_count": 2}, {"gpu_is_consumer": False}, {"total_bytes": 10**10}],
)
def test_what_a_rule_tells_apart_is_asked_again(changes: dict[str, FactValue]) -> None:
    """The last value that still, or no longer, fires."""
    rules = rules_of(*CONDITIONS)
    assert rules.fired(FACTS) == {"the-rule"}
    assert told_to_the_engine(lambda: rules.fired({**FACTS, **changes})) == 1
    assert rules.fired({**FACTS, **changes}) == frozenset()


@pytest.mark.parametrize(
    "changes",
    [
        {"gpu_is_consumer": 1},
        {"gpu_count": 4.0},
        {"gpu_count": 2**62 + 1},
        {"total_bytes": -(2**62) - 1},
        {"gpu": "x" * 513},
        {"gpu": "\ud800"},
        {"gpu": None},
    ],
)
def test_what_the_engine_does_not_take_is_refused_whatever_is_remembered(changes: dict[str, FactValue]) -> None:
    """One is not taken for true, nor a number for the largest that the engine can compare."""
    rules = rules_of(*CONDITIONS)
    assert rules.fired(FACTS)
    for _ in range(2):
        with pytest.raises(FactRefusedError):
            rules.fired({**FACTS, **changes})
    with pytest.raises(FactRefusedError):
        rules.fired({name: value for name, value in FACTS.items() if name not in changes})


def test_what_is_remembered_is_bounded() -> None:
    """Classes beyond the bound begin anew."""
    rules = rules_of(Condition("gpu_count", "in", tuple(range(1, 64, 2))))
    with patch.object(remembered, "_REMEMBERED", 8):
        for _ in range(2):
            for count in range(64):
                assert bool(rules.fired({**FACTS, "gpu_count": count})) is bool(count % 2)
        assert all(len(each.fired) <= 8 for each in rules._shards)
