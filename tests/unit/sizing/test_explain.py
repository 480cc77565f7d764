from typing import Any

import pytest

from sizing.estimate import Estimate
from sizing.explain import explain
from tests.unit.sizing.weighing import weigh


@pytest.mark.parametrize(
    ("model", "gpu", "count", "fields"),
    [
        ("Qwen/Qwen3-8B", "RTX 4090", 1, {}),
        ("Qwen/Qwen3-235B-A22B", "H100-SXM-80GB", 8, {}),
        ("google/gemma-3-27b-it", "H100-SXM-80GB", 2, {}),
        ("meta-llama/Llama-3.1-70B-Instruct", "H100-SXM-80GB", 8, {"parallelism": {"pipeline_parallel_size": 2}}),
        ("state-spaces/mamba-2.8b-hf", "RTX 4090", 1, {}),
        ({"num_parameters": 8_000_000_000}, "RTX 4090", 1, {"weight_format": "fp16"}),
        ("Qwen/Qwen3-8B", "RTX 4090", 1, {"engine": {"name": "llama.cpp"}, "weight_format": "fp16"}),
    ],
)
def test_the_lines_are_the_terms_of_the_estimate(
    model: str | dict[str, Any], gpu: str, count: int, fields: dict[str, Any]
) -> None:
    """Every term is told with a formula, and the sizes are those of the estimate's worst rank."""
    found = weigh(model, gpu, count, **fields)
    told = {line.term: line for line in explain(found)}
    assert all(line.formula for line in told.values())
    sizes = {name.replace("_bytes", "").replace("_", " "): size for name, size in _terms(found).items()}
    assert {term: line.size_bytes for term, line in told.items()} == {
        term: size for term, size in sizes.items() if term in told
    }
    assert {"weights", "kv cache", "usable"} <= set(told)


def _terms(found: Estimate) -> dict[str, int]:
    per_gpu = found.per_gpu
    names = ("usable_bytes", "weights_bytes", "kv_cache_bytes", "activation_bytes", "overhead_bytes")
    outside = {"outside_bytes": found.outside.needed_bytes} if found.outside else {}
    return {name: getattr(per_gpu, name) for name in names} | outside
