"""The advice rules over the catalogue: each is reached, fires as its YAML says, and leaves good deployments alone."""

import os
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import pytest

from rules.engine import RuleEngine
from rules.facts import declared
from rules.recommend import recommend
from rules.rule import AdviceRule
from rules.ruleset import load_rule_set
from rules.weigh import Judged
from schemas.parse import parse_request
from schemas.recommendation import FactValue
from sizing.catalog.gpus import load_gpus

from .corpus import Value, corpus, judged
from .plain_python import PlainPython
from .strategies import seeded, values_at_the_bounds

RULES = load_rule_set().advice
CONDITIONS = {rule.id: rule.when for rule in RULES}

FACT_SETS = int(os.environ.get("WEIGHBRIDGE_TEST_FACT_SETS", "10000"))
"""Random fact sets to compare; ``make agree`` asks for 100,000."""
BATCH = 50


@cache
def weighed() -> tuple[tuple[Value, Judged], ...]:
    """The requests of the corpus that can be weighed, and what is judged of them."""
    found = ((value, judged(value)) for value in corpus())
    return tuple((value, each) for value, each in found if each is not None)


OF_FILES = {"checkpoint-holds-what-its-family-lacks"}
"""Rules that need files to be read; the tests of checkpoints reach them."""


def test_every_rule_is_reached_by_a_request() -> None:
    """An advice rule that no request over the catalogue reaches is a mistake; most requests can be weighed."""
    reached: dict[str, Value] = {}
    for value, each in weighed():
        for rule in each.advice:
            reached.setdefault(rule.id, value)
    missing = sorted(set(CONDITIONS) - set(reached) - OF_FILES)
    assert not missing, f"{missing} are reached by no request"
    assert len(weighed()) > 1000


def test_the_corpus_fires_what_the_yaml_says() -> None:
    """On every request of the corpus the engine fires what plain Python reads out of the rules' files."""
    plain = PlainPython(RULES)
    for value, each in weighed():
        assert each.advice == plain.fired(each.facts), value


def near_the_thresholds() -> Iterator[dict[str, FactValue]]:
    """Facts of a rule's firing case with a few of them redrawn from the bounds of all rules' conditions.

    Half of those redrawn are facts that the rule itself reads.
    """
    random = seeded(31)
    values = values_at_the_bounds("advice", CONDITIONS)
    cases = [(rule, case) for rule in RULES for case in rule.cases]
    while True:
        rule, case = random.choice(cases)
        facts = dict(case.facts)
        own = [condition.fact for condition in rule.when]
        for _ in range(random.randint(0, 6)):
            fact = random.choice(own if random.random() < 0.5 else list(values))
            facts[fact] = random.choice(values[fact])
        yield facts


@pytest.mark.timeout(600)
def test_random_facts_fire_what_the_yaml_says() -> None:
    """Near the thresholds of the rules the engine fires what plain Python does, and every rule fires and does not."""
    plain = PlainPython(RULES)
    engine = RuleEngine("advice", CONDITIONS)
    fired: dict[str, int] = dict.fromkeys(CONDITIONS, 0)
    facts = islice(near_the_thresholds(), FACT_SETS)
    while several := list(islice(facts, BATCH)):
        found = engine.fired(several)
        for each, ids in zip(several, found, strict=True):
            expected = {rule.id for rule in plain.fired(each)}
            assert ids == expected, sorted(ids ^ expected)
            for rule in ids:
                fired[rule] += 1
    assert min(fired.values()) > FACT_SETS // 3000
    assert max(fired.values()) < FACT_SETS


def test_what_sixteen_bits_do_not_fit_does_not_fit_when_weighed() -> None:
    """Wherever the facts say that 16 bit would not fit, weighed or not, asking for 16 bit says so."""
    checked = 0
    for value, each in weighed():
        if each.facts["sixteen_bit_verdict"] == "does_not_fit":
            again = [judged({**value, "weight_format": name}) for name in ("bf16", "fp16")]
            assert not any(other and other.weighed.fits for other in again), value
            checked += 1
    assert checked > 20


def findings(**value: Any) -> list[str]:  # noqa: ANN401 - fields of a request
    """The rules that have something to say about a request."""
    return [each.rule for each in recommend(parse_request({**value, "alternatives": 0})).findings]


@pytest.mark.parametrize(
    ("model", "gpu", "count"),
    [
        ("Qwen/Qwen3-8B", "H100-SXM-80GB", 1),
        ("Qwen/Qwen3-8B", "RTX 4090", 1),
        ("meta-llama/Llama-3.1-70B-Instruct", "H100-SXM-80GB", 4),
        ("Qwen/Qwen2.5-72B-Instruct", "H200 SXM 141GB", 2),
    ],
)
def test_nothing_is_said_about_a_good_deployment(model: str, gpu: str, count: int) -> None:
    """Published precision, memory to serve with and an engine that was measured: no finding at all."""
    assert findings(model={"name": model}, hardware={"gpu": gpu, "count": count}) == []


@pytest.mark.parametrize(
    "parallelism",
    [{"enable_expert_parallel": True}, {"tensor_parallel_size": 4, "pipeline_parallel_size": 2}],
    ids=["whole experts", "two stages"],
)
def test_eight_rtx_3090_hold_a_larger_model_quantized(parallelism: Value) -> None:
    """The seed article's other use of 192 GB: Qwen3-235B-A22B in 4 bit, as far as its groups can be divided."""
    told = findings(
        model={"name": "Qwen/Qwen3-235B-A22B"},
        weight_format="gptq-int4",
        hardware={"gpu": "RTX 3090", "count": 8},
        parallelism=parallelism,
    )
    assert "many-small-cards-carry-a-larger-model-quantized" in told
    assert "memory-does-not-fit" not in told


def test_idle_gpus_are_told_with_the_sizes_that_divide_the_model() -> None:
    """Qwen3-8B has 32 heads and 8 key-value heads: of three GPUs one or two can share a layer."""
    value = {
        "model": {"name": "Qwen/Qwen3-8B"},
        "hardware": {"gpu": "RTX 3090", "count": 3},
        "parallelism": {"tensor_parallel_size": 2},
    }
    (said,) = (each for each in recommend(parse_request(value)).findings if each.rule == "some-gpus-are-idle")
    assert "1 of the 3 GPUs" in said.message
    assert "divide this model are 1, 2;" in said.message.replace("\n", " ")


def test_a_flag_that_is_advised_makes_the_deployment_fit() -> None:
    """Asking again with the max_model_len, max_num_seqs or utilization of a message does not fail for memory."""
    checked = set()
    for value, each in weighed():
        facts, ids = each.facts, {rule.id for rule in each.advice}
        asked: list[tuple[str, Value]] = []
        workload, engine = value.get("workload", {}), value.get("engine", {})
        if "shorter-sequences-would-fit" in ids:
            asked.append(
                ("max_model_len", {"workload": {**workload, "max_model_len": int(facts["longest_max_model_len"])}})
            )
        if "fewer-sequences-would-fit" in ids:
            sequences = int(facts["sequences_in_pool"]) * int(facts["data_parallel_size"])
            asked.append(("sequences", {"workload": {**workload, "concurrent_sequences": sequences}}))
        if "a-larger-share-of-the-memory-would-fit" in ids:
            share = int(facts["sufficient_utilization_percent"]) / 100
            asked.append(("utilization", {"engine": {**engine, "gpu_memory_utilization": share}}))
        for name, changes in asked:
            again = judged({**value, **changes})
            assert again is not None
            assert again.facts["memory_verdict"] != "does_not_fit", (value, changes)
            checked.add(name)
    assert checked == {"max_model_len", "sequences", "utilization"}


def test_gpus_named_by_rules_are_in_the_catalogue() -> None:
    """A rule that names a GPU the catalogue lacks is misspelt."""
    known = {gpu.name for gpu in load_gpus().gpus}
    named = {
        value
        for rule in RULES
        for condition in rule.when
        if condition.fact == "gpu"
        for value in (condition.operand if isinstance(condition.operand, tuple) else (condition.operand,))
    }
    assert named <= known


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_that_blames_memory_says_how_much(rule: AdviceRule) -> None:
    """A rule that fires where memory is short shows a figure, in bytes, tokens, sequences or parameters."""
    if any(each.fact == "memory_verdict" and each.operand in ("does_not_fit", "tight") for each in rule.when):
        shown = rule.message["en"].facts_read
        assert any(declared("advice")[name].kind is int for name in shown)
