"""What makes durable-rules crash, hang or answer wrongly cannot be reached: the table in docs/rule-engine.md.

What would end or hang the process runs in a child.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from rules.conditions import Condition, OtherFact
from rules.engine import FactRefusedError, RuleEngine
from rules.facts import declared
from rules.metadata_facts import MAX_METADATA_FACTS
from rules.ruleset import load_rule_set, packaged_defaults
from rules.shards import MAX_ALTERNATIVES, shards_of
from schemas.recommendation import FactValue

from .children import GARBAGE, run_child
from .strategies import random_conditions, seeded

PREAMBLE = """
from rules.conditions import Condition, OtherFact
from rules.engine import RuleEngine
from rules.ruleset import load_rule_set, packaged_defaults
facts = dict(packaged_defaults()["advice"])
def count(rules, facts=facts):
    print(len(RuleEngine("advice", rules).fired([facts])[0]))
"""

COMPARISONS = {"$neq", "$lt", "$lte", "$gt", "$gte"}


def definitions(rules: dict[str, tuple[Condition, ...]], monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the library is given for ``rules``."""
    given: list[dict[str, Any]] = []

    def note(_name: str, text: str) -> int:
        given.append(json.loads(text))
        raise InterruptedError

    monkeypatch.setattr("durable_rules_engine.create_ruleset", note)
    for rule, conditions in rules.items():
        with pytest.raises(InterruptedError):
            RuleEngine("advice", {rule: conditions}).fired([packaged_defaults()["advice"]])
    return given


def inner(test: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A test and those inside it."""
    yield test
    for key in ("$and", "$or"):
        for each in test.get(key, ()):
            yield from inner(each)


def test_only_measured_constructs_reach_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pattern, one key a test, and none of $div, $ex, $nex, $mt, $not, $iall, aliases or priorities.

    The library reads only the first of several keys, takes an unknown alias for true, and loops, crashes or
    misjudges on the others.
    """
    random = seeded(21)
    rules = {f"rule-{number}": random_conditions("advice", random) for number in range(300)}
    rules |= {rule.id: rule.when for rule in load_rule_set().advice}
    for definition in definitions(rules, monkeypatch):
        assert definition.pop("_seen") == {"all": [{"f": {"$ex": {"t": 1}}}]}
        (rule,) = definition.values()
        assert list(rule) == ["all"]
        (pattern,) = rule["all"]
        assert list(pattern) == ["f"]
        for test in inner(pattern["f"]):
            ((key, operand),) = test.items()
            if key in {"$and", "$or"}:
                assert operand, "an empty list hangs or matches nothing"
                assert len({json.dumps(each) for each in operand}) == len(operand) or key == "$and"
            elif key in COMPARISONS:
                ((fact, value),) = operand.items()
                assert fact in declared("advice")
                assert isinstance(value, str | int) or (list(value) == ["$m"] and value["$m"] in declared("advice"))
            else:
                assert key == "t" or key in declared("advice")
                assert isinstance(operand, str | int)


def test_the_other_fact_of_a_comparison_is_never_missing() -> None:
    """A comparison with a fact that is not there reads memory that was never set: it is refused before."""
    engine = RuleEngine("advice", {"more-than-that": (Condition("total_bytes", "gt", OtherFact("usable_bytes")),)})
    facts = dict(packaged_defaults()["advice"])
    del facts["usable_bytes"]
    with pytest.raises(FactRefusedError, match="usable_bytes"):
        engine.fired([facts])


@pytest.mark.parametrize("value", [1e-05, 1e16, float("inf"), float("nan"), None, "20", [1], {"a": 1}, 2**63])
def test_values_the_library_misreads_never_reach_it(value: object) -> None:
    """Floats, null, containers, saturating integers and text where a number is compared are refused."""
    engine = RuleEngine("advice", {"many-gpus": (Condition("gpu_count", "gt", 1),)})
    facts: dict[str, Any] = {**packaged_defaults()["advice"], "gpu_count": value}
    with pytest.raises(FactRefusedError):
        engine.fired([facts])


def test_a_refused_fact_among_several_drops_none_of_them() -> None:
    """Where the library would drop a fact it cannot read and all after it, all are refused together, aloud."""
    engine = RuleEngine("advice", {"one-gpu": (Condition("gpu_count", "eq", 1),)})
    good: dict[str, FactValue] = dict(packaged_defaults()["advice"])
    with pytest.raises(FactRefusedError):
        engine.fired([good, {**good, "gpu_count": "1"}, good])
    assert engine.fired([good, good, good]) == [{"one-gpu"}] * 3


def test_more_facts_than_a_session_tells_apart_are_all_judged() -> None:
    """A session knows facts by a hash of 32 bit: a thousand facts at once each get their own answer."""
    engine = RuleEngine("advice", {"odd-count": (Condition("gpu_count", "in", tuple(range(1, 128, 2))),)})
    facts = [{**packaged_defaults()["advice"], "gpu_count": number % 100} for number in range(1000)]
    assert engine.fired(facts) == [{"odd-count"} if number % 2 else frozenset() for number in range(1000)]


def test_no_facts_at_all_reach_nothing() -> None:
    """An empty list of facts, which ends the library's process, is answered without it."""
    assert run_child(PREAMBLE + "print(RuleEngine('advice', {}).fired([]), RuleEngine('advice', {}).fired([facts]))",
                     seconds=30) == "[] [frozenset()]"  # fmt: skip


def test_facts_keep_within_the_properties_the_library_holds() -> None:
    """A fact of all declared facts has fewer properties than the 252 it can have."""
    assert len(declared("advice")) + MAX_METADATA_FACTS + len(("t", "sid", "id")) <= 252


HANGS = {
    "lists of different values": 'r = {f"rule-{n}": (Condition("gpu", "in", tuple(f"g{n}-{m}" for m in range(64))),) '
    "for n in range(40)}",
    "lists behind two gates": 'r = {f"rule-{n}": (Condition("engine", "eq", "vllm"), Condition("gpu_count", "eq", 1), '
    'Condition("gpu", "in", tuple(f"g{n}-{m}" for m in range(64)))) for n in range(40)}',
    "equalities": 'r = {f"rule-{n}": (Condition("gpu", "eq", f"g{n}"),) for n in range(1000)}',
    "lists within lists": 'r = {"rule-1": tuple(Condition(fact, "in", tuple(f"g{m}" for m in range(64))) '
    'for fact in ("gpu", "model_name", "model_family", "architecture"))}',
}


@pytest.mark.parametrize("rules", HANGS.values(), ids=HANGS)
def test_alternatives_by_the_hundred_are_spread_out(rules: str) -> None:
    """More than 511 alternatives at one place are never loaded together, at which the library hangs."""
    assert run_child(f"{PREAMBLE}{rules}\ncount(r)", seconds=60) == "0"


def test_a_shard_has_no_more_alternatives_than_is_safe() -> None:
    """Rules with lists of their own share a shard only up to the bound."""
    lists = [tuple(f"gpu-{number}-{place}" for place in range(64)) for number in range(12)]
    conditions = {
        f"rule-{number}": (Condition("gpu", "not_in", ("a",)), Condition("model_name", "in", values))
        for number, values in enumerate(lists)
    }
    for shard in shards_of(conditions):
        assert 64 * len(shard.rules) <= MAX_ALTERNATIVES


CRASHES = {
    "256 rules on one test": ('{f"rule-{n}": (Condition("gpu_count", "eq", 1),) for n in range(600)}', "600"),
    "65 matches at once": ('{f"rule-{n}": (Condition("gpu_count", "gt", -n),) for n in range(600)}', "600"),
    "64 tests in one rule": ('{"rule-1": tuple(Condition("gpu_count", "gt", -n) for n in range(200))}', "1"),
    "a long list of what it is not": (
        '{"rule-1": (Condition("gpu", "not_in", tuple(f"g{n}" for n in range(64))),)}',
        "1",
    ),
    "40 comparisons of facts": (
        '{"rule-1": tuple(Condition("gpu_count", "lt", OtherFact("usable_bytes")) for n in range(40))}',
        "1",
    ),
}


@pytest.mark.parametrize(("rules", "fired"), CRASHES.values(), ids=CRASHES)
def test_what_would_end_the_process_does_not(rules: str, fired: str) -> None:
    """Rules beyond the library's bounds are spread over sessions, and every one that holds fires."""
    assert run_child(f"{PREAMBLE}count({rules})", seconds=60, **GARBAGE) == fired


def test_sessions_in_which_no_rule_fires_are_ended_safely() -> None:
    """Ending a session in which no action started frees memory never set: the rule that always fires prevents it."""
    program = """
engine = RuleEngine("advice", {"never-fires": (Condition("gpu_count", "lt", 0),)})
for _ in range(300):
    assert engine.fired([facts, facts]) == [frozenset(), frozenset()]
print("survived")
"""
    assert run_child(PREAMBLE + program, seconds=60, **GARBAGE) == "survived"


def test_one_session_at_a_time_lives() -> None:
    """Five thousand evaluations need no more sessions than one, where the 1,025th at once would be refused."""
    program = """
engine = RuleEngine("advice", {"one-gpu": (Condition("gpu_count", "eq", 1),)})
print(sum(len(engine.fired([facts])[0]) for _ in range(5000)))
"""
    assert run_child(PREAMBLE + program, seconds=60) == "5000"


def test_a_closed_engine_is_built_again() -> None:
    """Asked after it was closed, twice, it answers as before: no handle that was given back is used."""
    program = """
rules = {rule.id: rule.when for rule in load_rule_set().advice}
engine = RuleEngine("advice", rules)
before = engine.fired([facts])
for _ in range(20):
    engine.close()
    engine.close()
    assert engine.fired([facts]) == before
print("survived")
"""
    assert run_child(PREAMBLE + program, seconds=60, **GARBAGE) == "survived"


def test_the_librarys_host_is_never_imported() -> None:
    """Its timer threads walk sessions that were freed: only the C driver is loaded, and no thread is started."""
    program = """
import sys, threading
count({"one-gpu": (Condition("gpu_count", "eq", 1),)})
print("durable" in sys.modules, threading.active_count())
"""
    assert run_child(PREAMBLE + program, seconds=60) == "1\nFalse 1"


@pytest.mark.parametrize("text", ["x" * 513, "fp8" + "y" * 65_536])
def test_lengths_that_wrap_are_refused(text: str) -> None:
    """A string longer than 16 bit can count would equal its first characters."""
    engine = RuleEngine("advice", {"that-gpu": (Condition("gpu", "eq", "fp8"),)})
    with pytest.raises(FactRefusedError, match="characters"):
        engine.fired([{**packaged_defaults()["advice"], "gpu": text}])


def test_odd_characters_are_equal_to_themselves_alone() -> None:
    """Quotes, backslashes, controls, NUL, Chinese and emoji are told as they are and compared as a whole."""
    texts = ['"', "\\", '\\"', "\n", "a\0b", "a", "中文", "🙂", "\x7f", "\u2028"]
    printable = [text for text in texts if text.isprintable()]
    rules = {f"is-{place}": (Condition("gpu", "eq", text),) for place, text in enumerate(printable)}
    engine = RuleEngine("advice", rules)
    for text in texts:
        expected = {f"is-{printable.index(text)}"} if text in printable else set()
        assert engine.fired([{**packaged_defaults()["advice"], "gpu": text}]) == [expected]


def test_half_a_surrogate_pair_never_reaches_it() -> None:
    """What no UTF-8 can spell is refused before the library is asked, which would have to be built anew."""
    engine = RuleEngine("advice", {"that-gpu": (Condition("gpu", "eq", "a"),)})
    with pytest.raises(FactRefusedError, match="surrogate"):
        engine.fired([{**packaged_defaults()["advice"], "gpu": "中\ud800"}])


def test_python_that_the_library_was_not_made_for_runs_it() -> None:
    """The extension imports on this interpreter: 3.13 needs a name put back where it is built."""
    assert "durable_rules_engine" in sys.modules
