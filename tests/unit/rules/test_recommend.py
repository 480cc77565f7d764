"""From a request to its recommendation, with the packaged catalogue and rules."""

import difflib
import json
import logging
from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings

from checkpoints.reader import Reader
from checkpoints.sources import NO_SOURCES
from rules import recommend as recommending
from rules.recommend import Recommender, answer, encode, recommend
from rules.ruleset import PACKAGED, load_rule_set, rule_files
from schemas.parse import parse_request
from schemas.recommendation import ANSWER, ErrorAnswer, Finding, Recommendation
from schemas.request import SizingRequest
from sizing.catalog.catalog import load_catalog
from tests.strategies import sizable_requests

from .strategies import seeded

QWEN_8B = {"name": "Qwen/Qwen3-8B"}
QWEN_32B = {"name": "Qwen/Qwen3-32B"}
LLAMA_70B = {"name": "meta-llama/Meta-Llama-3-70B-Instruct"}


def asked(model: dict[str, Any], weight_format: str, gpu: str | None = None, count: int = 1) -> Recommendation:
    """The recommendation for a model in a format on some GPUs, or on any."""
    hardware = None if gpu is None else {"gpu": gpu, "count": count}
    value = {"model": model, "weight_format": weight_format, "hardware": hardware, "request_id": "test"}
    return recommend(parse_request(value))


def changed(request: SizingRequest, changes: Mapping[str, Any]) -> SizingRequest:
    """The request with fields replaced; a nested mapping replaces only the fields it names."""
    value = request.model_dump()
    for field, said in changes.items():
        value[field] = {**value[field], **said} if isinstance(said, dict) and value[field] else said
    return parse_request(value)


def finding(recommendation: Recommendation, rule: str) -> Finding | None:
    """What a rule found, if it did."""
    return next((each for each in recommendation.findings if each.rule == rule), None)


ARTICLE = [
    # model, bare count, format, GPU, count, decimal GB by the rule of thumb, rules that carry the advice
    (QWEN_8B, 8, "fp16", "RTX 4080", 1, 19.2, ["memory-does-not-fit", "short-of-memory-quantize-to-fp8-or-int4"]),
    (QWEN_8B, 8, "fp8", "RTX 4080", 1, 9.6, ["fp8-is-native", "one-consumer-card-is-enough"]),
    (QWEN_8B, 8, "fp8", "RTX 4090", 1, 9.6, ["fp8-is-native", "one-consumer-card-is-enough"]),
    (QWEN_8B, 8, "nvfp4", "RTX 5070", 1, 4.8, ["fp4-is-native", "one-consumer-card-is-enough"]),
    (QWEN_8B, 8, "nvfp4", "RTX 5090", 1, 4.8, ["fp4-is-native", "one-consumer-card-is-enough"]),
    (QWEN_8B, 8, "nvfp4", "RTX 4090", 1, 4.8, ["fp4-without-fp4-tensor-cores"]),
    (QWEN_32B, 32, "fp16", None, 1, 76.8, ["sixteen-bit-exceeds-every-consumer-gpu"]),
    (QWEN_32B, 32, "nvfp4", "RTX 5090", 1, 19.2, ["one-card-is-enough-after-quantizing"]),
    (LLAMA_70B, 70, "fp16", "RTX 3090", 8, 168.0, ["many-small-cards-carry-sixteen-bit"]),
]


@pytest.mark.parametrize(("model", "billions", "name", "gpu", "count", "gigabytes", "rules"), ARTICLE)
@pytest.mark.parametrize("by_count", [False, True], ids=["by name", "by count"])
def test_the_articles_cases_carry_its_figure_and_its_advice(  # noqa: PLR0917 - columns of the table
    model: dict[str, Any],
    billions: int,
    name: str,
    gpu: str | None,
    count: int,
    gigabytes: float,
    rules: list[str],
    by_count: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Six rows of the seed article, by model name and by bare count: the rule of thumb, and who says what."""
    chosen = {"num_parameters": billions * 10**9} if by_count else model
    told = asked(chosen, name, gpu, count)
    assert told.rule_of_thumb.total_bytes / 1e9 == gigabytes
    assert set(rules) <= {each.rule for each in told.findings}
    assert (told.kv_cache is None) is by_count


def test_fp8_on_an_rtx_3090_prefers_int4_and_offers_it_weighed() -> None:
    """No FP8 tensor core: AWQ and GPTQ are preferred, and both are offered with what they need."""
    told = asked(QWEN_8B, "fp8", "RTX 3090")
    said = finding(told, "fp8-without-fp8-tensor-cores")
    assert said is not None
    assert "no FP8 tensor core" in said.message
    assert said.prefer == ["awq-int4", "gptq-int4"]
    assert set(said.facts) == {"gpu", "weight_format", "weights_support", "weights_support_by_hardware"}
    assert [each.changes for each in told.alternatives[:2]] == [
        {"weight_format": "awq-int4"},
        {"weight_format": "gptq-int4"},
    ]
    assert all(each.per_gpu.total_bytes < told.per_gpu.total_bytes for each in told.alternatives[:2])


def test_fp8_on_an_rtx_4090_has_nothing_against_it() -> None:
    """Ada has FP8 tensor cores, so that the finding of the RTX 3090 is not made."""
    told = asked(QWEN_8B, "fp8", "RTX 4090")
    assert finding(told, "fp8-without-fp8-tensor-cores") is None
    assert told.support.weights.level == "native"


def test_messages_are_in_the_language_asked_for() -> None:
    """The same finding is made in Chinese when the request says so."""
    request = parse_request({"model": QWEN_8B, "weight_format": "fp8", "hardware": {"gpu": "RTX 3090"}, "locale": "zh"})
    said = finding(recommend(request), "fp8-without-fp8-tensor-cores")
    assert said is not None
    assert "没有 FP8 张量核心" in said.message


def test_what_is_refused_says_by_which_rule() -> None:
    """A GPU the engine has dropped makes the verdict unsupported, with the support rule as an error."""
    told = asked(QWEN_8B, "gptq-int4", "GTX 1080 Ti")
    assert told.verdict == "unsupported"
    said = finding(told, "vllm-never-had-code-for-pascal")
    assert said is not None
    assert said.level == "error"
    assert told.support.engine.rule == said.rule


@pytest.mark.parametrize(
    ("gpu", "name", "engine", "level", "rule"),
    [
        # Docs up to v0.14 ask for 7.0; the wheels of 0.20 were the first built with CUDA 13, which has no Volta.
        ("V100 SXM2 32GB", "fp16", {"name": "vllm", "version": "0.6.0"}, "native", "vllm-ran-on-volta-before-0-20"),
        ("V100 SXM2 32GB", "fp16", {"name": "vllm", "version": "0.19.0"}, "native", "vllm-ran-on-volta-before-0-20"),
        ("V100 SXM2 32GB", "fp16", {"name": "vllm", "version": "0.20.0"}, "unsupported", "vllm-dropped-volta-in-0-20"),
        ("V100 SXM2 32GB", "fp16", {"name": "vllm"}, "unsupported", "vllm-dropped-volta-in-0-20"),
        ("Tesla P40", "fp16", {"name": "vllm", "version": "0.6.0"}, "unsupported", "vllm-never-had-code-for-pascal"),
    ],
)
def test_whether_an_engine_runs_depends_on_its_release(
    gpu: str, name: str, engine: dict[str, str], level: str, rule: str
) -> None:
    """An older release runs where a newer one does not; whoever names none gets the documented one."""
    told = recommend(
        parse_request({"model": QWEN_8B, "weight_format": name, "engine": engine, "hardware": {"gpu": gpu}})
    )
    assert (told.support.engine.level, told.support.engine.rule) == (level, rule)
    assert (told.verdict == "unsupported") is (level == "unsupported")
    assert told.support.weights.level == level


@pytest.mark.parametrize(
    ("gpu", "name", "engine", "version", "level", "effect"),
    [
        # vLLM pull request 33076 (merged in January 2026, after 0.15) made published FP8 checkpoints load on Turing.
        ("Tesla T4", "fp8", "vllm", "0.15.0", "unsupported", "none"),
        ("Tesla T4", "fp8", "vllm", "0.16.0", "emulated", "memory+decode bandwidth"),
        ("RTX 3090", "fp8", "vllm", "0.6.0", "emulated", "memory+decode bandwidth"),
        # gpt-oss came with 0.10.1.
        ("H100 SXM5 80GB", "mxfp4", "vllm", "0.10.0", "unsupported", "none"),
        ("H100 SXM5 80GB", "mxfp4", "vllm", "0.10.1", "emulated", "memory+decode bandwidth"),
        # Both left the core for plugins: 0.24 and 0.28.
        ("RTX 3090", "gguf:q4_k_m", "vllm", "0.23.0", "native", "memory+decode bandwidth"),
        ("RTX 3090", "gguf:q4_k_m", "vllm", "0.24.0", "native", "memory+decode bandwidth"),
        ("RTX 3090", "bnb-nf4", "vllm", "0.28.0", "native", "memory only"),
        # On Volta the docs tick GPTQ, bitsandbytes and GGUF, and neither AWQ nor INT8 nor FP8.
        ("V100 SXM2 32GB", "gptq-int4", "vllm", "0.12.0", "native", "memory+decode bandwidth"),
        ("V100 SXM2 32GB", "awq-int4", "vllm", "0.12.0", "unsupported", "none"),
        ("V100 SXM2 32GB", "bf16", "vllm", "0.12.0", "unsupported", "none"),
        # INT8 SmoothQuant went with the TensorRT backend, which 1.2 still has.
        ("A100 SXM4 80GB", "int8", "tensorrt-llm", "1.2.0", "native", "compute+memory"),
        ("A100 SXM4 80GB", "int8", "tensorrt-llm", "1.3.0", "unsupported", "none"),
        # A GTX 16 card has the compute capability of a T4 and no tensor cores; llama.cpp warns of it.
        ("Tesla T4", "gguf:q4_k_m", "llama.cpp", "9000", "native", "memory+decode bandwidth"),
        ("GTX 1660 SUPER", "gguf:q4_k_m", "llama.cpp", "9000", "emulated", "memory+decode bandwidth"),
        ("Tesla T4", "int8", "vllm", "0.19.0", "native", "compute+memory"),
        ("GTX 1660 SUPER", "int8", "vllm", "0.19.0", "emulated", "memory only"),
    ],
)
def test_what_an_engine_supports_depends_on_its_release_and_on_tensor_cores(  # noqa: PLR0917 - columns of the table
    gpu: str, name: str, engine: str, version: str, level: str, effect: str
) -> None:
    """Formats come and go with releases, and compute capability alone does not prove tensor cores."""
    request = {
        "model": QWEN_8B,
        "weight_format": name,
        "engine": {"name": engine, "version": version},
        "hardware": {"gpu": gpu},
    }
    support = recommend(parse_request(request)).support
    assert (support.weights.level, support.weights.effect) == (level, effect)


def test_where_an_engine_does_not_run_its_formats_are_no_further_findings() -> None:
    """Only the rule that refuses the engine is an error, whatever else holds of the format."""
    told = recommend(parse_request({"model": QWEN_8B, "weight_format": "mxfp8", "hardware": {"gpu": "Tesla P40"}}))
    assert [each.rule for each in told.findings if each.level == "error"] == ["vllm-never-had-code-for-pascal"]
    assert told.support.weights.rule == told.support.kv_cache.rule == told.support.engine.rule


def test_findings_are_loudest_first_then_by_name() -> None:
    """The order of findings follows from what they are alone."""
    levels = ["error", "warning", "advice", "info"]
    told = asked(QWEN_8B, "bf16", "Tesla P40")
    keys = [(levels.index(each.level), each.rule) for each in told.findings]
    assert keys == sorted(keys)
    assert len({level for level, _ in keys}) > 2


def test_without_hardware_the_catalogue_is_ranked() -> None:
    """The best GPU of each generation that holds the model is told once, the best of all first."""
    told = recommend(parse_request({"model": QWEN_32B, "weight_format": "fp16", "alternatives": 50}))
    assert told.verdict == "fits"
    assert all(set(each.changes) == {"hardware"} for each in told.alternatives)
    assert {each.verdict for each in told.alternatives} <= {"fits", "tight"}
    gpus = load_catalog().gpus
    chosen = [told.deployment.gpu, *(_gpu_of(each.changes) for each in told.alternatives)]
    generations = [gpus.find(name).architecture for name in chosen]
    assert len(generations) == len(set(generations)) >= 5
    # A100, H100 and Blackwell of 96 GB are the smallest of NVIDIA's that hold 61 GiB of weights.
    assert {"ampere", "hopper", "blackwell"} <= set(generations)
    for name, generation in zip(chosen, generations, strict=True):
        smaller = [
            gpu
            for gpu in gpus.gpus
            if gpu.architecture == generation and gpu.memory_bytes < gpus.find(name).memory_bytes
        ]
        assert not [gpu.name for gpu in smaller if asked(QWEN_32B, "fp16", gpu.name).verdict == "fits"]


def test_named_gpus_are_weighed_beside_the_one_asked_for() -> None:
    """GPU types that a request names are offered whatever its verdict, with the fewest of each that start it."""
    value = {"model": QWEN_8B, "weight_format": "bf16", "hardware": {"gpu": "H100-SXM-80GB"}}
    told = recommend(parse_request({**value, "candidate_gpus": ["RTX 4090", "RTX 4080", "T4"]}))
    offered = {_gpu_of(each.changes): each for each in told.alternatives}
    assert set(offered) == {"GeForce RTX 4090", "GeForce RTX 4080"}
    assert offered["GeForce RTX 4090"].changes == {"hardware": {"gpu": "GeForce RTX 4090", "count": 1}}
    assert offered["GeForce RTX 4080"].changes == {"hardware": {"gpu": "GeForce RTX 4080", "count": 2}}
    assert "on 2 x GeForce RTX 4080, each needs" in offered["GeForce RTX 4080"].why
    assert answer({**value, "candidate_gpus": ["no such card"]}).status == "error"


def test_two_changes_are_offered_where_one_is_not_enough() -> None:
    """Qwen3-235B-A22B on one RTX 3090: neither 4 bit nor eight cards alone, but both (the seed article's last case)."""
    value = {
        "model": {"name": "Qwen/Qwen3-235B-A22B"},
        "weight_format": "bf16",
        "hardware": {"gpu": "RTX 3090"},
        "alternatives": 50,
    }
    told = recommend(parse_request(value))
    assert told.verdict == "does_not_fit"
    assert told.alternatives
    int4 = next(each for each in told.alternatives if "int4" in str(each.changes["weight_format"]))
    # 1,536 columns of an expert in groups of 128 cannot be divided by eight: the experts are spread whole.
    assert int4.changes["hardware"] == {"count": 8}
    assert int4.changes["parallelism"] == {"enable_expert_parallel": True}
    assert int4.arguments == ["--tensor-parallel-size 8", "--enable-expert-parallel"]


def test_the_nearest_miss_says_what_is_missing() -> None:
    """DeepSeek-V3 in FP8 fits no eight of 24 GB: the answer is what misses least, and by how much."""
    value = {
        "model": {"name": "deepseek-ai/DeepSeek-V3"},
        "hardware": {"gpu": "RTX 4090"},
        "candidate_gpus": ["RTX 4090"],
    }
    told = recommend(parse_request(value))
    assert told.verdict == "does_not_fit"
    assert told.alternatives == []
    assert told.nearest_miss is not None
    assert told.nearest_miss.verdict == "does_not_fit"
    assert told.nearest_miss.per_gpu.headroom_bytes < 0
    assert told.nearest_miss.per_gpu.headroom_bytes > told.per_gpu.headroom_bytes
    assert recommend(parse_request({**value, "alternatives": 0})).nearest_miss is None


def test_why_is_told_in_the_language_asked_for() -> None:
    """Each alternative says what its change brings, with both figures."""
    value = {"model": QWEN_8B, "weight_format": "fp8", "hardware": {"gpu": "RTX 3090"}}
    for locale, said in (("en", "weights in awq-int4 take"), ("zh", "awq-int4 权重每块 GPU 占")):
        first = recommend(parse_request({**value, "locale": locale})).alternatives[0]
        assert first.why.startswith(said)
        assert f"{first.per_gpu.weights_bytes / 2**30:.2f} GiB" in first.why


def _gpu_of(changes: Mapping[str, Any]) -> str:
    name = changes["hardware"]["gpu"]
    assert isinstance(name, str)
    return name


def test_without_hardware_what_no_gpu_holds_gets_several() -> None:
    """A model larger than any GPU does not fit on the largest, and counts of GPUs that hold it are offered."""
    told = recommend(parse_request({"model": {"name": "Qwen/Qwen3-235B-A22B"}, "weight_format": "bf16"}))
    assert told.verdict == "does_not_fit"
    assert finding(told, "no-single-gpu-holds-it") is not None
    assert told.alternatives
    for each in told.alternatives:
        hardware = each.changes["hardware"]
        assert isinstance(hardware, dict)
        assert hardware["count"] in (2, 4, 8)


def test_more_gpus_widen_a_tensor_parallel_size_that_was_given() -> None:
    """A request that names its tensor parallel size gets it widened along with the count of GPUs."""
    value = {
        "model": QWEN_32B,
        "weight_format": "bf16",
        "hardware": {"gpu": "RTX 4090", "count": 2},
        "parallelism": {"tensor_parallel_size": 2},
        "alternatives": 50,
    }
    told = recommend(parse_request(value))
    wider = [each.changes for each in told.alternatives if "hardware" in each.changes]
    assert wider == [{"hardware": {"count": 4}, "parallelism": {"tensor_parallel_size": 4}}]


CASES: list[dict[str, Any]] = [
    {"model": QWEN_8B, "weight_format": "fp8", "hardware": {"gpu": "RTX 3090"}},
    {"model": QWEN_8B, "weight_format": "fp16", "hardware": {"gpu": "RTX 4080"}},
    {"model": LLAMA_70B, "weight_format": "fp16", "hardware": {"gpu": "RTX 3090", "count": 8}},
    {"model": QWEN_8B, "hardware": {"gpu": "RTX 4090"}, "workload": {"concurrent_sequences": 6}},
    {"model": QWEN_8B, "hardware": {"gpu": "RTX 4080"}, "workload": {"max_model_len": 40960}},
    {"model": QWEN_32B, "weight_format": "fp16"},
    {"model": {"num_parameters": 8 * 10**9}, "weight_format": "fp8", "hardware": {"gpu": "T4"}},
]


@pytest.mark.parametrize("value", CASES, ids=json.dumps)
def test_an_alternative_is_what_asking_for_it_answers(value: dict[str, Any]) -> None:
    """An alternative's figures, verdict and findings are those of the request with its changes."""
    request = parse_request(value)
    offered = recommend(request).alternatives
    assert offered
    for each in offered:
        told = recommend(changed(request, each.changes))
        assert (each.verdict, each.per_gpu, each.kv_cache) == (told.verdict, told.per_gpu, told.kv_cache)
        assert each.findings == told.findings
        assert each.verdict in ("fits", "tight")


def test_no_more_alternatives_than_asked_for() -> None:
    """The request bounds the list, down to none."""
    request = parse_request(CASES[1])
    longest = recommend(changed(request, {"alternatives": 50})).alternatives
    for limit in (0, 1, 3):
        assert recommend(changed(request, {"alternatives": limit})).alternatives == longest[:limit]


@settings(max_examples=40, deadline=None)
@given(value=sizable_requests())
def test_asked_twice_the_answer_is_the_same_to_the_byte(value: dict[str, Any]) -> None:
    """Same input, same bytes out, and the bytes are an answer of the contract."""
    value = {key: said for key, said in value.items() if key != "request_id"}
    first = encode(answer(value))
    assert encode(answer(value)) == first
    assert encode(ANSWER.validate_json(first)) == first


def test_shuffled_rule_files_give_the_same_answer() -> None:
    """The order in which rule files are found moves nothing."""
    random = seeded(9)
    files = rule_files(PACKAGED)
    for _ in range(3):
        random.shuffle(files)
        shuffled = Recommender(load_catalog(), load_rule_set(files), Reader(NO_SOURCES))
        for value in CASES:
            request = parse_request(value)
            assert encode(shuffled.recommend(request)) == encode(recommend(request))


def test_a_request_without_an_id_gets_one_from_what_it_asks() -> None:
    """The id follows from the request, and another request has another."""
    first, again, other = (recommend(parse_request(CASES[place])).request_id for place in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("value", "code", "identity"),
    [
        ({"request_id": "mine", "model": {"name": "no such"}, "hardware": {"gpu": "T4"}}, "unknown_model", "mine"),
        ({"request_id": "mine", "model": QWEN_8B, "hardware": {"gpu": "no such card"}}, "unknown_gpu", "mine"),
        ({"request_id": "mine", "model": QWEN_8B, "modle": 1}, "invalid_request", "mine"),
        ({"request_id": "not valid", "model": QWEN_8B}, "invalid_request", "fallback"),
        ({"request_id": 7, "model": QWEN_8B}, "invalid_request", "fallback"),
        ({}, "invalid_request", "fallback"),
        ([], "invalid_request", "fallback"),
        (None, "invalid_request", "fallback"),
        ("text", "invalid_request", "fallback"),
    ],
)
def test_what_is_wrong_with_a_request_is_answered(value: object, code: str, identity: str) -> None:
    """Anything decoded from JSON has an answer with a stable code, under its own id where it has a valid one."""
    told = answer(value, request_id="fallback")
    assert isinstance(told, ErrorAnswer)
    assert (told.error.code, told.request_id) == (code, identity)


def test_an_answer_without_any_id_still_has_one() -> None:
    """Without an id in the value and without a fallback the id follows from the value."""
    assert answer([1]).request_id == answer([1]).request_id != answer([2]).request_id
    assert answer({"a": float("nan"), "\ud800": object()}).request_id


def test_the_fallback_id_is_a_good_requests_too() -> None:
    """A request without an id is answered under the one it was taken in with."""
    told = answer(CASES[0], request_id="taken-in")
    assert isinstance(told, Recommendation)
    assert told.request_id == "taken-in"


def test_a_fault_of_ours_is_answered_without_its_details(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unexpected exception is logged under the request's id, and the answer says nothing of it."""

    def broken(*_: object) -> Recommendation:
        raise RuntimeError("secret")

    monkeypatch.setattr(recommending, "recommend", broken)
    with caplog.at_level(logging.ERROR):
        told = answer({**CASES[0], "request_id": "mine"})
    assert isinstance(told, ErrorAnswer)
    assert (told.error.code, told.request_id) == ("internal", "mine")
    assert "secret" not in encode(told)
    assert "secret" in caplog.text
    assert [record.__dict__["request_id"] for record in caplog.records] == ["mine"]


def test_the_largest_numbers_a_request_can_hold_are_weighed() -> None:
    """Bytes beyond what rules can compare saturate, and the answer is that it does not fit."""
    value = {
        "model": QWEN_8B,
        "hardware": {"gpu": "RTX 4090"},
        "workload": {"max_model_len": 2**31 - 1, "concurrent_sequences": 1_048_576},
    }
    told = answer(value)
    assert isinstance(told, Recommendation)
    assert told.verdict == "does_not_fit"
    assert told.per_gpu.kv_cache_bytes > 2**62


def test_metadata_and_versions_are_in_the_answer() -> None:
    """What a request carries along comes back, with what the answer was computed with."""
    told = recommend(parse_request({**CASES[0], "metadata": {"pod": "a"}}))
    assert told.metadata == {"pod": "a"}
    assert told.versions.rules == load_rule_set().version
    assert told.versions.catalog == load_catalog().version


def test_the_answer_tells_the_weights_apart() -> None:
    """The parts of the weights sum to them, and what stays in 16 bit in an AWQ checkpoint is named."""
    answered = recommend(
        parse_request(
            {"model": {"name": "Qwen/Qwen3-8B"}, "weight_format": "awq-int4", "hardware": {"gpu": "RTX 4090"}}
        )
    )
    assert answered.weights is not None
    assert sum(answered.weights.bytes_by_part.values()) == answered.per_gpu.weights_bytes
    assert answered.weights.unquantized_modules == ["model.embed_tokens", "lm_head"]
    # 151,936 x 4,096 elements of 2 bytes.
    assert answered.weights.bytes_by_part["embedding"] == 151_936 * 4_096 * 2


@pytest.mark.parametrize(
    ("model", "count", "fewest"),
    [
        # 131.4 GiB of weights want two GPUs of 79.2 GiB, as serving guides for Llama 70B have it; 15.3 GiB want one;
        # DeepSeek-V3's 641 GiB want more than eight.
        ("meta-llama/Llama-3.1-70B-Instruct", 8, 2),
        ("meta-llama/Llama-3.1-70B-Instruct", 1, 2),
        ("Qwen/Qwen3-8B", 1, 1),
        ("Qwen/Qwen3-8B", 4, 1),
        ("deepseek-ai/DeepSeek-V3", 8, None),
    ],
)
def test_the_fewest_gpus_are_told(model: str, count: int, fewest: int | None) -> None:
    """However many GPUs are asked for, the answer says how many of them start it."""
    value = {"model": {"name": model}, "hardware": {"gpu": "H100-SXM-80GB", "count": count}, "alternatives": 0}
    assert recommend(parse_request(value)).fewest_gpus == fewest


@given(sizable_requests())
@settings(max_examples=50)
def test_fewer_than_the_fewest_do_not_start(value: dict[str, object]) -> None:
    """With the fewest GPUs the verdict is one with which it starts, and there are never more than were enough."""
    found = answer(value)
    if isinstance(found, ErrorAnswer) or found.fewest_gpus is None:
        return
    if found.verdict in ("fits", "tight"):
        assert found.fewest_gpus <= found.deployment.gpu_count
    hardware = value["hardware"]
    assert isinstance(hardware, dict)
    again = answer({**value, "hardware": {**hardware, "count": found.fewest_gpus}})
    assert isinstance(again, Recommendation)
    assert again.verdict in ("fits", "tight")


def test_what_a_misspelt_name_is_like_is_looked_for_once() -> None:
    """Also where every GPU of the catalogue is tried."""
    with patch("difflib.get_close_matches", side_effect=difflib.get_close_matches) as looked:
        answered = answer({"model": {"name": "Qwen/Qwen3-8Bee"}})
    assert isinstance(answered, ErrorAnswer)
    assert answered.error.code == "unknown_model"
    assert "Qwen/Qwen3-8B" in str(answered.error.hint)
    assert looked.call_count == 1
