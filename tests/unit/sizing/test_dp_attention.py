"""Tensor-parallel ranks that attend to sequences of their own."""

from typing import Any

import pytest

from schemas.errors import InvalidRequestError
from tests.unit.sizing.weighing import weigh

H200 = "H200-SXM-141GB"
DEEPSEEK = "deepseek-ai/DeepSeek-V3"


def _split(**sizes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of a request
    return {"engine": {"name": "sglang"}, "parallelism": {"tensor_parallel_size": 8, **sizes}}


def test_ranks_keep_the_latents_of_their_own_sequences() -> None:
    """DeepSeek-V3 at TP 8: a latent is as large on every rank, but of eight groups each keeps an eighth of them."""
    workload = {"max_model_len": 8192, "concurrent_sequences": 64}
    together = weigh(DEEPSEEK, H200, 8, workload=workload, **_split())
    apart = weigh(DEEPSEEK, H200, 8, workload=workload, **_split(data_parallel_size=8, enable_dp_attention=True))
    assert together.per_gpu.kv_cache_bytes == 64 * 8192 * 61 * 576 * 2
    assert apart.per_gpu.kv_cache_bytes == 8 * 8192 * 61 * 576 * 2
    assert apart.deployment.split.world_size == 8


def test_attention_and_embedding_are_whole_on_every_rank() -> None:
    """The matrices of attention are replicated with the groups, experts and output stay divided by all ranks."""
    together, apart, pairs = (
        weigh(DEEPSEEK, H200, 8, **_split(data_parallel_size=size, enable_dp_attention=size > 1)).weights_by_part
        for size in (1, 8, 4)
    )
    assert together is not None
    assert apart is not None
    assert pairs is not None
    assert apart["embedding"] == 129_280 * 7168 * 2 == 8 * together["embedding"]
    assert apart["experts"] == together["experts"]
    assert apart["output"] == together["output"]
    # q_b (24,576 x 1,536), kv_b (32,768 x 512) and o (7,168 x 16,384) are divided by heads: one byte, 61 layers.
    divided = 61 * (24_576 * 1536 + 32_768 * 512 + 7168 * 16_384)
    assert apart["attention"] - together["attention"] == pytest.approx(divided * 7 / 8, rel=0.001)
    assert pairs["attention"] - together["attention"] == pytest.approx(divided * 3 / 8, rel=0.001)


@pytest.mark.parametrize(
    ("engine", "groups", "field"),
    [
        ("vllm", 8, "parallelism.enable_dp_attention"),
        ("llama.cpp", 8, "parallelism.enable_dp_attention"),
        ("sglang", 3, "parallelism.data_parallel_size"),
    ],
)
def test_groups_that_cannot_be_are_refused(engine: str, groups: int, field: str) -> None:
    """An engine without the switch, or groups that do not divide the ranks, is an error that names the field."""
    sizes = {"tensor_parallel_size": 8, "data_parallel_size": groups, "enable_dp_attention": True}
    with pytest.raises(InvalidRequestError) as caught:
        weigh(DEEPSEEK, H200, 8, engine={"name": engine}, parallelism=sizes)
    assert caught.value.field == field
    assert caught.value.hint
