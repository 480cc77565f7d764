"""Deployments that simpler sums call a fit."""

import pytest

from sizing.catalog.gpus import GIB
from tests.unit.sizing.weighing import weigh

H100 = "H100-SXM-80GB"
LLAMA_70B = "meta-llama/Llama-3.1-70B-Instruct"


@pytest.mark.parametrize("count", [1, 8])
def test_experts_that_rest_take_memory_too(count: int) -> None:
    """37 B of DeepSeek-V3's parameters are active, and all 671 B are held: one H100 lacks them, and eight do too."""
    found = weigh("deepseek-ai/DeepSeek-V3", H100, count)
    assert found.verdict == "does_not_fit"
    assert found.num_parameters == pytest.approx(671e9, rel=0.001)
    assert found.per_gpu.weights_bytes * count > 620 * GIB
    assert found.per_gpu.headroom_bytes < 0


def test_what_is_printed_on_four_boxes_is_not_one_pool() -> None:
    """141 GB of weights and 43 GB of kv cache are less than 4 x 48 GB, and more than four engines may plan with."""
    sequences = {"max_model_len": 8192, "concurrent_sequences": 16}
    weights, kept = 2 * 70.55e9, 16 * 8192 * 327_680
    assert weights + kept < 4 * 48e9
    found = weigh(LLAMA_70B, "L40S", 4, workload=sequences)
    assert 4 * found.per_gpu.usable_bytes < weights + kept
    assert found.verdict == "does_not_fit"


def test_replicas_do_not_share_their_memory() -> None:
    """Four cards of 48 GB hold a model of 141 GB when it is split between them, and not when each has its own."""
    assert weigh(LLAMA_70B, "L40S", 4).verdict == "fits"
    assert weigh(LLAMA_70B, "L40S", 4, parallelism={"data_parallel_size": 4}).verdict == "does_not_fit"


def test_weights_that_fit_are_not_enough() -> None:
    """61 GiB of Qwen3-32B leave room in an H100 for one sequence of 8192 tokens, 2 GiB each, and not for 32."""
    workload = {"max_model_len": 8192, "concurrent_sequences": 32}
    one, many = weigh("Qwen/Qwen3-32B", H100), weigh("Qwen/Qwen3-32B", H100, workload=workload)
    assert many.per_gpu.weights_bytes < many.per_gpu.usable_bytes
    assert (one.verdict, many.verdict) == ("fits", "does_not_fit")


def test_an_80_gb_card_has_less_than_80_gib() -> None:
    """A process sees 79.19 GiB of an H100 (start-up logs of vLLM 0.19), and an engine plans with nine tenths of it."""
    found = weigh(LLAMA_70B, H100, weight_format="fp8", parallelism={"tensor_parallel_size": 1})
    assert found.per_gpu.usable_bytes == pytest.approx(0.9 * 79.19 * GIB, rel=0.001)
    assert found.per_gpu.total_bytes < 80 * GIB
    assert found.verdict == "does_not_fit"
