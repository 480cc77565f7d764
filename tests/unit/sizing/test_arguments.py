"""The engine's own words for a change."""

import pytest

from rules.recommend import recommend
from schemas.parse import parse_request
from sizing.arguments import changed_arguments
from tests.unit.sizing.weighing import weigh


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("vllm", ["--max-model-len 4096", "--tensor-parallel-size 2", "--kv-cache-dtype fp8"]),
        ("sglang", ["--context-length 4096", "--tp-size 2", "--kv-cache-dtype fp8_e4m3"]),
        ("tensorrt-llm", ["--max_seq_len 4096", "--tp_size 2", "--kv_cache_dtype fp8"]),
    ],
)
def test_a_change_is_told_in_the_engines_words(engine: str, said: list[str]) -> None:
    """A shorter length, two ranks and an FP8 cache are the arguments that each engine documents."""
    before = weigh("Qwen/Qwen3-8B", "H100-SXM-80GB", engine={"name": engine})
    after = weigh(
        "Qwen/Qwen3-8B",
        "H200-SXM-141GB",
        2,
        engine={"name": engine},
        workload={"max_model_len": 4096},
        kv_cache_dtype="fp8",
    )
    asked = {"gpu", "count", "max_model_len", "kv_cache_dtype"}
    assert changed_arguments(before.deployment, after.deployment, asked) == said
    assert changed_arguments(before.deployment, before.deployment, asked) == []


def test_both_halves_of_a_cache_are_told_to_llama_cpp() -> None:
    """llama.cpp has one flag for keys and one for values."""
    before, after = (
        weigh("Qwen/Qwen3-8B", "RTX 4090", engine={"name": "llama.cpp"}, weight_format="gguf:q8_0", kv_cache_dtype=each)
        for each in ("auto", "q8_0")
    )
    assert changed_arguments(before.deployment, after.deployment, {"kv_cache_dtype"}) == [
        "--cache-type-k q8_0",
        "--cache-type-v q8_0",
    ]


def test_a_refused_start_is_cured_by_a_flag() -> None:
    """Qwen2.5-32B in AWQ at 32,768 tokens does not start on 24 GB; a shorter length or two GPUs, as flags, cure it."""
    request = {
        "model": {"name": "Qwen/Qwen2.5-32B-Instruct"},
        "weight_format": "awq-int4",
        "hardware": {"gpu": "RTX 3090"},
        "workload": {"max_model_len": 32_768},
        "alternatives": 50,
    }
    answer = recommend(parse_request(request))
    assert answer.verdict == "does_not_fit"
    assert answer.kv_cache is not None
    said = [argument for other in answer.alternatives for argument in other.arguments]
    assert f"--max-model-len {answer.kv_cache.longest_max_model_len}" in said
    assert "--tensor-parallel-size 2" in said
