"""The engine answers what plain Python answers, whatever came before."""

import os
import re
from pathlib import Path
from threading import Thread
from unittest.mock import patch

import durable_rules_engine  # type: ignore[import-not-found]  # a C extension without types
import pytest

from rules.conditions import Condition, all_hold
from rules.engine import FactLostError, FactRefusedError, RuleEngine
from rules.facts import PassName
from rules.ruleset import load_rule_set, packaged_defaults
from rules.shards import MAX_MATCHES, MAX_RULES, shards_of
from schemas.recommendation import FactValue
from schemas.vocabulary import ENGINE_NAMES

from .strategies import known_values, random_conditions, random_facts, seeded, values_at_the_bounds

PACKAGED: dict[PassName, dict[str, tuple[Condition, ...]]] = {
    "support": {rule.id: rule.when for rule in load_rule_set().support},
    "advice": {rule.id: rule.when for rule in load_rule_set().advice},
}


SHORT_OF_MEMORY: dict[str, FactValue] = {**packaged_defaults()["advice"], "memory_verdict": "does_not_fit"}
"""Facts on which packaged rules fire, so that the engine is asked."""


def expected(rules: dict[str, tuple[Condition, ...]], facts: dict[str, FactValue]) -> set[str]:
    """The ids that plain Python says fire."""
    return {rule for rule, conditions in rules.items() if all_hold(conditions, facts)}


@pytest.mark.parametrize("of", ["support", "advice"])
def test_the_packaged_rules_fire_as_plain_python_says(of: PassName) -> None:
    """On 3,000 facts a pass, drawn from the bounds of its conditions, engine and plain Python agree."""
    random = seeded(7)
    rules = PACKAGED[of]
    engine = RuleEngine(of, rules)
    values = values_at_the_bounds(of, rules)
    fired = 0
    for _ in range(3000):
        facts = random_facts(of, random, values)
        (found,) = engine.fired([facts])
        assert found == expected(rules, facts)
        fired += len(found)
    assert fired > 3000


@pytest.mark.parametrize("seed", range(4))
def test_random_rules_fire_as_plain_python_says(seed: int) -> None:
    """Random conditions of every kind on random facts, extreme numbers and odd strings among them, agree."""
    random = seeded(seed)
    rules = {f"rule-{number}": random_conditions("advice", random) for number in range(40)}
    engine = RuleEngine("advice", rules)
    values = known_values("advice")
    for _ in range(500):
        facts = random_facts("advice", random, values)
        assert engine.fired([facts]) == [expected(rules, facts)]


def test_facts_asked_together_are_judged_apart() -> None:
    """Several facts in one call fire what each fires alone, in any order."""
    random = seeded(3)
    engine = RuleEngine("advice", PACKAGED["advice"])
    values = values_at_the_bounds("advice", PACKAGED["advice"])
    several = [random_facts("advice", random, values) for _ in range(50)]
    alone = [engine.fired([facts])[0] for facts in several]
    assert engine.fired(several) == alone
    assert engine.fired(several[::-1]) == alone[::-1]


def test_the_order_of_rules_changes_nothing() -> None:
    """An engine built from shuffled rules fires the same."""
    random = seeded(11)
    values = values_at_the_bounds("support", PACKAGED["support"])
    several = [random_facts("support", random, values) for _ in range(200)]
    answers = []
    for _ in range(4):
        shuffled = list(PACKAGED["support"].items())
        random.shuffle(shuffled)
        answers.append(RuleEngine("support", dict(shuffled)).fired(several))
    assert all(answer == answers[0] for answer in answers)


def test_a_fact_that_matches_nothing_is_answered() -> None:
    """No rule firing is an answer, and the next fact is judged as ever."""
    engine = RuleEngine("advice", {"never-fires": (Condition("gpu_count", "lt", 0),)})
    facts = dict(packaged_defaults()["advice"])
    assert engine.fired([facts]) == [frozenset()]
    assert engine.fired([{**facts, "gpu_count": -1}]) == [{"never-fires"}]


def test_more_rules_than_the_engine_can_hold_are_sharded() -> None:
    """Three hundred rules that all fire on one fact do fire: 64 at once would make the engine answer none."""
    rules = {f"rule-{number}": (Condition("gpu_count", "gt", -number),) for number in range(300)}
    assert len(shards_of(rules)) > 300 // MAX_RULES
    assert RuleEngine("advice", rules).fired([packaged_defaults()["advice"]]) == [frozenset(rules)]


def test_many_rules_on_the_same_condition_are_sharded() -> None:
    """Three hundred rules with one and the same condition fire, where 256 would end the process."""
    rules = {f"rule-{number}": (Condition("gpu_count", "eq", 1),) for number in range(300)}
    assert max(len(shard.rules) for shard in shards_of(rules)) <= MAX_RULES
    assert RuleEngine("advice", rules).fired([packaged_defaults()["advice"]]) == [frozenset(rules)]


def test_rules_for_values_that_exclude_each_other_need_no_more_room_than_one() -> None:
    """Of equalities of one fact only one can hold, so that a fact meets at most one shard of them."""
    rules = {f"rule-{number}": (Condition("gpu_count", "eq", number),) for number in range(MAX_MATCHES * 2)}
    assert sum(shard.admits({"gpu_count": 7}) for shard in shards_of(rules)) == 1


def test_a_gate_keeps_rules_from_facts_they_cannot_fire_on() -> None:
    """Rules that each need one engine meet only facts of it, and fire as ever."""
    rules = {
        f"{engine.replace('.', '-')}-{number}": (
            Condition("engine", "eq", engine),
            Condition("gpu_count", "gt", number),
        )
        for engine in ENGINE_NAMES
        for number in range(10)
    }
    facts = packaged_defaults()["advice"]
    met = {rule for shard in shards_of(rules) if shard.admits(facts) for rule in shard.rules}
    assert met == {rule for rule in rules if rule.startswith("vllm")}
    assert RuleEngine("advice", rules).fired([{**facts, "gpu_count": 3}]) == [{"vllm-0", "vllm-1", "vllm-2"}]


def test_rules_without_a_gate_are_met_behind_every_gate() -> None:
    """A rule that needs no engine fires on facts of each, those included that no gate names, in the one shard met."""
    rules: dict[str, tuple[Condition, ...]] = {
        f"{engine}-{number}": (Condition("engine", "eq", engine), Condition("gpu_count", "gt", number))
        for engine in ("vllm", "sglang")
        for number in range(10)
    }
    rules["any-engine"] = (Condition("gpu_count", "gt", 1),)
    engine = RuleEngine("advice", rules)
    for name in ENGINE_NAMES:
        facts = {**packaged_defaults()["advice"], "engine": name, "gpu_count": 3}
        assert sum(shard.admits(facts) for shard in shards_of(rules)) == 1
        assert engine.fired([facts]) == [expected(rules, facts)]
        assert "any-engine" in expected(rules, facts)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gpu_count": "1"}, "type"),
        ({"gpu_count": True}, "type"),
        ({"gpu_count": 1.0}, "type"),
        ({"gpu_count": None}, "type"),
        ({"gpu_count": 2**62 + 1}, "beyond"),
        ({"gpu": "x" * 65_536}, "65536 characters"),
    ],
)
def test_facts_the_engine_would_misread_are_refused(changes: dict[str, FactValue], reason: str) -> None:
    """A wrong type, a number that saturates and a string whose length wraps never reach the engine, which lives on."""
    conditions = (Condition("gpu_count", "eq", 1), Condition("gpu", "ne", "x"))
    engine = RuleEngine("advice", {"one-gpu": conditions})
    facts = packaged_defaults()["advice"]
    assert engine.fired([facts]) == [{"one-gpu"}]
    with patch.object(durable_rules_engine, "create_ruleset") as built_anew:
        with pytest.raises(FactRefusedError, match=reason):
            engine.fired([{**facts, **changes}])
        assert engine.fired([facts]) == [{"one-gpu"}]
    assert not built_anew.called


def test_a_missing_fact_is_refused() -> None:
    """A fact that a condition reads and nobody gave is an error, not a condition that does not hold."""
    engine = RuleEngine("advice", {"one-gpu": (Condition("gpu_count", "eq", 1),)})
    with pytest.raises(FactRefusedError):
        engine.fired([{}])


def test_a_fact_the_engine_loses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the engine takes a fact and evaluates nothing, the answer is an error, and the next one is right."""
    engine = RuleEngine("advice", {"one-gpu": (Condition("gpu_count", "eq", 1),)})
    facts = packaged_defaults()["advice"]
    with monkeypatch.context() as patched:
        patched.setattr("durable_rules_engine.start_action_for_state", lambda _handle, _state: None)
        with pytest.raises(FactLostError):
            engine.fired([facts])
    assert engine.fired([facts]) == [{"one-gpu"}]


def test_an_error_between_facts_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an error in the middle of several facts the engine answers as a new one does."""
    engine = RuleEngine("advice", PACKAGED["advice"])
    facts = SHORT_OF_MEMORY
    before = engine.fired([facts])
    with monkeypatch.context() as patched:
        patched.setattr("durable_rules_engine.complete_and_start_action", lambda _handle, _state: 1 // 0)
        with pytest.raises(ZeroDivisionError):
            engine.fired([facts, facts])
    assert engine.fired([facts]) == before


def test_a_forked_child_builds_its_own() -> None:
    """A child answers rightly after a fork, and so does the parent beside it."""
    engine = RuleEngine("advice", PACKAGED["advice"])
    facts = SHORT_OF_MEMORY
    before = engine.fired([facts])
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            os._exit(0 if all(engine.fired([facts]) == before for _ in range(50)) else 1)
        children.append(child)
    assert engine.fired([facts]) == before
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0, 0]


def test_threads_wait_for_each_other() -> None:
    """Threads that share an engine all get the right answers."""
    random = seeded(5)
    engine = RuleEngine("advice", PACKAGED["advice"])
    values = values_at_the_bounds("advice", PACKAGED["advice"])
    several = [random_facts("advice", random, values) for _ in range(100)]
    answers = [expected(PACKAGED["advice"], facts) for facts in several]
    wrong: list[int] = []

    def ask() -> None:
        wrong.extend(place for place, facts in enumerate(several) if engine.fired([facts]) != [answers[place]])

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_one_module_imports_the_engine() -> None:
    """Nothing but rules/engine.py imports durable-rules."""
    room = Path(__file__).parents[3] / "rules"
    imports = re.compile(r"^\s*(import|from) durable", re.MULTILINE)
    assert [path.name for path in room.glob("*.py") if imports.search(path.read_text())] == ["engine.py"]
