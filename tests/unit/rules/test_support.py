"""The support rules are total, agree with each other, and say what is documented."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from itertools import chain

import pytest

from rules.documented_releases import documented_releases
from rules.engine import RuleEngine
from rules.evaluate import flat
from rules.facts import SupportFacts, declared
from rules.gather_support import kind_of
from rules.rule import Effect, Subject, SupportRule
from rules.ruleset import load_rule_set
from rules.support_coverage import every_combination
from rules.support_levels import SupportConclusions, SupportNotConcludedError, conclude_support
from schemas.recommendation import FactValue
from schemas.vocabulary import ENGINE_NAMES, WEIGHT_FORMATS, EngineName, SupportLevel
from sizing.catalog.formats import load_formats
from sizing.catalog.gpus import load_gpus
from sizing.catalog.releases import release_number

from .plain_python import PlainPython
from .strategies import seeded

RULES = load_rule_set().support


@cache
def combinations() -> tuple[SupportFacts, ...]:
    """Every GPU generation x weight format, asked for or not, x kv cache type x engine and release."""
    return tuple(every_combination(RULES))


@cache
def plain() -> PlainPython[SupportRule]:
    """The support rules without the engine."""
    return PlainPython(RULES)


@cache
def examples() -> list[tuple[SupportFacts, tuple[SupportRule, ...]]]:
    """A combination for every set of rules that fires on some, and those rules."""
    return plain().examples(combinations())


def told(rules: Iterable[SupportRule]) -> dict[Subject, set[tuple[SupportLevel, Effect]]]:
    """The conclusions for each subject."""
    found: dict[Subject, set[tuple[SupportLevel, Effect]]] = defaultdict(set)
    for rule in rules:
        for subject in rule.conclusion.subjects:
            found[subject].add((rule.conclusion.level, rule.conclusion.effect))
    return found


def test_the_formats_are_those_of_the_contract() -> None:
    """What is enumerated is every weight format of the contract."""
    assert set(load_formats().weights) == set(WEIGHT_FORMATS)


def test_every_engine_has_a_documented_release() -> None:
    """Support without a named release is that of a release with a source, for every engine of the contract."""
    assert set(documented_releases()) == set(ENGINE_NAMES)
    assert all(release_number(each.version) and each.source for each in documented_releases().values())


def test_every_combination_is_concluded_and_no_two_rules_disagree() -> None:
    """The GPU and the engine are concluded everywhere, weights and kv cache wherever the engine runs, never twice.

    Two rules contradict each other when they speak of the same subject and differ in level or effect.
    """
    gaps: list[tuple[Subject, SupportFacts]] = []
    quarrels: list[tuple[Subject, SupportFacts]] = []
    for facts, rules in examples():
        conclusions = told(rules)
        runs = conclusions["engine"] != {("unsupported", "none")}
        needed: set[Subject] = {"engine", "weights_by_hardware", "kv_cache_by_hardware"}
        needed |= {"weights", "kv_cache"} if runs else set()
        gaps += [(subject, facts) for subject in needed if not conclusions[subject]]
        quarrels += [(subject, facts) for subject, several in conclusions.items() if len(several) > 1]
    assert not gaps, f"{len(gaps)} gaps, such as {gaps[0]}"
    assert not quarrels, f"{len(quarrels)} contradictions, such as {quarrels[0]}"


def test_no_engine_computes_in_what_the_silicon_has_no_unit_for() -> None:
    """An engine that gains time in arithmetic from a format does so on a GPU that supports it natively."""
    for _, rules in examples():
        support = conclude_support(rules)
        if support.weights.effect == "compute+memory":
            assert support.weights.level == support.weights_by_hardware.level == "native"
        if support.kv_cache.effect == "compute+memory":
            assert support.kv_cache.level == support.kv_cache_by_hardware.level == "native"


def test_weights_and_kv_cache_are_concluded_apart() -> None:
    """No rule about weights reads the kv cache's type, none about the kv cache the weights' format."""
    for rule in RULES:
        if not rule.tells_of("kv_cache") and not rule.tells_of("kv_cache_by_hardware"):
            assert all(each.fact != "kv_cache_dtype" for each in rule.when), rule.id
        if not rule.tells_of("weights") and not rule.tells_of("weights_by_hardware"):
            assert all(not each.fact.startswith("weight_format") for each in rule.when), rule.id


def test_only_rules_in_the_folder_hardware_tell_of_the_silicon() -> None:
    """What the GPU alone can do is told by rules that never read the engine."""
    for rule in RULES:
        by_hardware = rule.tells_of("weights_by_hardware") or rule.tells_of("kv_cache_by_hardware")
        assert by_hardware is (rule.origin.file.parent.name == "hardware")


def test_every_rule_fires_on_some_combination() -> None:
    """A support rule that no combination of the catalogue reaches is a mistake."""
    reached = {rule.id for _, rules in examples() for rule in rules}
    assert {rule.id for rule in RULES} - reached == set()


def test_the_engine_agrees_on_a_sample_of_the_combinations() -> None:
    """On 2,000 combinations the engine fires what plain Python fires."""
    engine = RuleEngine("support", {rule.id: rule.when for rule in RULES})
    sample = seeded(2).sample(combinations(), 2000)
    for start in range(0, len(sample), 50):
        several = sample[start : start + 50]
        fired = engine.fired([flat(facts) for facts in several])
        assert fired == [{rule.id for rule in plain().fired(flat(facts))} for facts in several]


def test_architectures_named_by_rules_are_in_the_catalogue() -> None:
    """A rule that names a generation no GPU has is misspelt."""
    known = {gpu.architecture for gpu in load_gpus().gpus} | {gpu.vendor for gpu in load_gpus().gpus}
    named = {
        value
        for rule in load_rule_set().rules
        for condition in rule.when
        if condition.fact in ("architecture", "vendor")
        for value in (condition.operand if isinstance(condition.operand, tuple) else (condition.operand,))
    }
    assert named - known == set()


def test_kinds_named_by_rules_are_kinds_of_formats() -> None:
    """A rule that names a kind no format has is misspelt."""
    kinds = {kind_of(stored) for stored in load_formats().weights.values()}
    named = {
        value
        for rule in load_rule_set().rules
        for condition in rule.when
        if condition.fact == "weight_format_kind"
        for value in (condition.operand if isinstance(condition.operand, tuple) else (condition.operand,))
    }
    assert named - kinds == set()


DOCUMENTED = [
    # gpu, engine, format, asked, kv cache: weights and kv cache, and what they gain
    ("RTX 3090", "vllm", "fp8", True, "auto", "emulated", "memory+decode bandwidth", "native"),
    ("RTX 4090", "vllm", "fp8", True, "fp8", "native", "compute+memory", "native"),
    ("RTX 3090", "vllm", "awq-int4", True, "fp8", "native", "memory+decode bandwidth", "emulated"),
    ("Tesla T4", "vllm", "bf16", True, "auto", "unsupported", "none", "native"),
    ("Tesla T4", "vllm", "bf16", False, "auto", "emulated", "memory only", "native"),
    ("Tesla T4", "vllm", "mxfp4", False, "auto", "unsupported", "none", "native"),
    ("Tesla T4", "vllm", "fp8", True, "fp8", "emulated", "memory+decode bandwidth", "unsupported"),
    ("RTX 4090", "vllm", "nvfp4", True, "auto", "emulated", "memory+decode bandwidth", "native"),
    ("RTX 5090", "vllm", "nvfp4", True, "auto", "native", "compute+memory", "native"),
    ("RTX 5090", "vllm", "int8", True, "auto", "unsupported", "none", "native"),
    ("RTX 3090", "vllm", "int8", True, "auto", "native", "compute+memory", "native"),
    ("GTX 1080 Ti", "vllm", "fp16", True, "auto", "unsupported", "none", "unsupported"),
    ("Tesla P40", "llama.cpp", "gguf:q4_k_m", True, "q8_0", "native", "memory+decode bandwidth", "native"),
    ("Tesla P100 PCIe 16GB", "llama.cpp", "gguf:q4_k_m", True, "auto", "emulated", "memory only", "native"),
    ("B200 SXM 180GB", "llama.cpp", "mxfp4", True, "auto", "emulated", "memory+decode bandwidth", "native"),
    ("RTX 5090", "llama.cpp", "mxfp4", True, "auto", "native", "compute+memory", "native"),
    ("RTX 4090", "llama.cpp", "awq-int4", True, "fp8", "unsupported", "none", "unsupported"),
    ("RTX 4090", "tensorrt-llm", "fp8-block", True, "auto", "unsupported", "none", "native"),
    ("RTX 5090", "tensorrt-llm", "gptq-int4", True, "auto", "unsupported", "none", "native"),
    ("Tesla T4", "sglang", "fp8", True, "auto", "unsupported", "none", "native"),
    ("RTX 3090", "sglang", "fp8", True, "auto", "emulated", "memory+decode bandwidth", "native"),
    ("Instinct MI300X", "vllm", "fp8", True, "fp8", "native", "compute+memory", "native"),
    ("Instinct MI300X", "vllm", "nvfp4", True, "auto", "unsupported", "none", "native"),
]


@pytest.mark.parametrize(
    ("gpu", "engine", "name", "is_asked", "dtype", "level", "effect", "kv_cache_level"), DOCUMENTED
)
def test_what_is_documented_is_concluded(  # noqa: PLR0917 - columns of the table
    gpu: str,
    engine: EngineName,
    name: str,
    is_asked: bool,  # noqa: FBT001 - a column of the table
    dtype: str,
    level: SupportLevel,
    effect: str,
    kv_cache_level: SupportLevel,
) -> None:
    """The cases people trip over, from vLLM 0.33, SGLang 0.5.23, TensorRT-LLM and llama.cpp documents."""
    row = load_gpus().find(gpu)
    (facts,) = [
        each
        for each in combinations()
        if each.weight_format == name
        and (each.weight_format_is_asked, each.kv_cache_dtype) == (is_asked, dtype)
        and (each.engine, each.engine_release) == (engine, release_number(documented_releases()[engine].version))
        and (each.architecture, each.compute_capability_tens, each.has_tensor_cores)
        == (row.architecture, row.compute_capability_tens, row.has_tensor_cores)
    ]
    support = conclude_support(plain().fired(flat(facts)))
    assert (support.weights.level, support.weights.effect) == (level, effect)
    assert support.kv_cache.level == kv_cache_level


def test_nothing_is_supported_on_an_undocumented_accelerator() -> None:
    """Intel, of which the rules know nothing, is unsupported throughout, by rules that say so."""
    intel = (facts for facts in combinations() if facts.vendor == "intel")
    for _, rules in plain().examples(intel):
        support = conclude_support(rules)
        assert {support.weights.level, support.kv_cache.level, support.engine.level} == {"unsupported"}
        assert all("not-documented" in rule.id or "needs-nvidia" in rule.id for rule in support.refusals)


def as_advice_reads_it(facts: SupportFacts, support: SupportConclusions) -> dict[str, FactValue]:
    """The facts that both passes have, and what the advice pass knows of the first one's conclusions.

    Whether a format is asked for moves no other conclusion than that of 16 bit.
    """
    shared = {name: value for name, value in flat(facts).items() if name in declared("advice")}
    if facts.weight_format_kind != "16-bit":
        del shared["weight_format_is_asked"]
    return {
        **shared,
        "weights_support": support.weights.level,
        "weights_support_by_hardware": support.weights_by_hardware.level,
        "weights_effect": support.weights.effect,
        "kv_cache_support": support.kv_cache.level,
        "kv_cache_effect": support.kv_cache.effect,
        "engine_support": support.engine.level,
    }


def test_every_advice_rule_can_meet_the_support_it_reads() -> None:
    """What an advice rule asks of GPU, format, engine and their support is concluded for some combination."""
    left = {rule.id: rule.when for rule in load_rule_set().advice}
    for facts, rules in chain(
        examples(),
        ((each, plain().fired(flat(each))) for each in combinations() if each.weight_format_is_asked),
    ):
        known = as_advice_reads_it(facts, conclude_support(rules))
        left = {
            rule: when
            for rule, when in left.items()
            if not all(each.holds(known) for each in when if set(each.facts_read) <= known.keys())
        }
        if not left:
            return
    pytest.fail(f"no combination is supported as {sorted(left)} ask")


def test_the_worst_level_wins_in_any_order() -> None:
    """The order of rules never moves a conclusion."""
    random = seeded(4)
    for facts in random.sample(combinations(), 200):
        fired = list(plain().fired(flat(facts)))
        concluded = conclude_support(fired)
        random.shuffle(fired)
        assert conclude_support(fired) == concluded


def test_a_subject_no_rule_tells_about_is_an_error() -> None:
    """A gap in the rules is an error, never a default."""
    with pytest.raises(SupportNotConcludedError):
        conclude_support([])
