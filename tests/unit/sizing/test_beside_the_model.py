"""What is weighed beside the model when asked: LoRA slots and drafts."""

from typing import Any

import pytest

from schemas.errors import InvalidRequestError
from sizing.catalog.gpus import GIB
from sizing.catalog.models import catalog_model
from tests.unit.sizing.weighing import weigh

H100 = "H100-SXM-80GB"
LLAMA_3B = "meta-llama/Llama-3.2-3B-Instruct"
LLAMA_70B = "meta-llama/Llama-3.1-70B-Instruct"
DEEPSEEK = "deepseek-ai/DeepSeek-V3"


def _weights(model: str, count: int = 1, **fields: Any) -> dict[str, int]:  # noqa: ANN401 - fields of a request
    parts = weigh(model, H100, count, **fields).weights_by_part
    assert parts is not None
    return {str(part): size for part, size in parts.items()}


def test_lora_slots_are_a_pair_of_matrices_beside_each() -> None:
    """Llama-3.2-3B, rank 64: (in + out) x 64 x 2 bytes for each linear layer, embedding and output whole.

    vLLM 0.8 prints 6.25 GiB with such slots and 6.02 without (Llama-3.2-3B notebooks of unslothai/notebooks).
    """
    layer = (3072 + 3072) + 2 * (3072 + 1024) + (3072 + 3072) + 3 * (3072 + 8192)
    expected = 2 * 64 * (28 * layer + 2 * (128_256 + 3072))
    engine = {"name": "vllm", "version": "0.8.5", "max_loras": 1, "max_lora_rank": 64}
    assert _weights(LLAMA_3B, engine=engine)["lora"] == expected
    assert expected / GIB == pytest.approx(6.25 - 6.02, abs=0.02)


def test_lora_slots_grow_with_adapters_and_rank() -> None:
    """Twice the adapters, or twice the rank, take twice the memory; the default rank of vLLM is 16."""
    one = _weights(LLAMA_3B, engine={"max_loras": 1})["lora"]
    assert _weights(LLAMA_3B, engine={"max_loras": 2})["lora"] == 2 * one
    assert _weights(LLAMA_3B, engine={"max_loras": 1, "max_lora_rank": 32})["lora"] == 2 * one
    assert "lora" not in _weights(LLAMA_3B)


def test_the_divided_side_alone_of_an_adapter_is_divided() -> None:
    """At TP 2 the side that a rank holds whole stays whole, so that two ranks take more than one."""
    one, two = (_weights(LLAMA_3B, count, engine={"max_loras": 1})["lora"] for count in (1, 2))
    layer = (3072 + 1536) + 2 * (3072 + 512) + (1536 + 3072) + 2 * (3072 + 4096) + (4096 + 3072)
    assert two == 2 * 16 * (28 * layer + 2 * (128_256 + 3072))
    assert one / 2 < two < one


def test_experts_have_adapters_from_the_release_that_brought_them() -> None:
    """vLLM gives experts slots from 0.11.1 on: 128 experts of 2048 x 768 in each of 48 layers."""
    before, since = (
        _weights("Qwen/Qwen3-30B-A3B", engine={"version": version, "max_loras": 1})["lora"]
        for version in ("0.11.0", "0.11.1")
    )
    assert since - before == 2 * 16 * 48 * 128 * 3 * (2048 + 768)


@pytest.mark.parametrize(
    ("engine", "field"),
    [
        ({"name": "llama.cpp", "max_loras": 1}, "engine.max_loras"),
        ({"max_lora_rank": 8}, "engine.max_lora_rank"),
    ],
)
def test_adapters_that_cannot_be_weighed_are_refused(engine: dict[str, Any], field: str) -> None:
    """An engine whose adapters are not known, or a rank without adapters, is an error that names the field."""
    with pytest.raises(InvalidRequestError) as caught:
        weigh(LLAMA_3B, H100, engine=engine)
    assert caught.value.field == field


def test_a_draft_model_brings_weights_and_cache() -> None:
    """Llama-3.2-1B drafts for Llama-3.1-70B: its own weights, and 16 layers of 8 heads of 64 in the cache."""
    speculative = {"num_speculative_tokens": 5, "draft_model": {"name": "meta-llama/Llama-3.2-1B-Instruct"}}
    alone, drafted = weigh(LLAMA_70B, H100, 4), weigh(LLAMA_70B, H100, 4, speculative=speculative)
    assert alone.kv_cache is not None
    assert drafted.kv_cache is not None
    assert drafted.kv_cache.bytes_per_token - alone.kv_cache.bytes_per_token == 16 * 2 * 8 * 64 * 2
    more = drafted.per_gpu.weights_bytes - alone.per_gpu.weights_bytes
    draft = weigh("meta-llama/Llama-3.2-1B-Instruct", H100, 4)
    assert more == draft.per_gpu.weights_bytes
    assert 4 * more / 2 == pytest.approx(1_235_814_400, rel=0.01)
    assert drafted.high_bytes > alone.high_bytes


def test_layers_for_prediction_are_loaded_when_they_draft() -> None:
    """DeepSeek-V3: 13.5 B parameters of its layer 61 in FP8, and one layer more of 576 numbers a token."""
    alone, drafted = (
        weigh(DEEPSEEK, H100, 16, speculative=speculative) for speculative in (None, {"num_speculative_tokens": 1})
    )
    assert alone.kv_cache is not None
    assert drafted.kv_cache is not None
    assert drafted.kv_cache.bytes_per_token == 62 * 576 * 2
    assert alone.kv_cache.bytes_per_token == 61 * 576 * 2
    ahead = catalog_model(DEEPSEEK).multi_token_prediction.num_parameters
    assert ahead / 1e9 == pytest.approx(13.5, abs=0.1)
    assert drafted.weights_by_part is not None
    # Experts, most of it, are one byte a number; embedding and output matrix are two, attention's ends are whole.
    assert ahead / 16 < drafted.weights_by_part["draft"] < 2 * ahead / 16


def test_layers_for_prediction_share_a_tied_embedding() -> None:
    """Qwen3.5-4B: its layer alone comes beside the model, two bytes a parameter, as embedding and output are there."""
    found = weigh("Qwen/Qwen3.5-4B", H100, 1, speculative={"num_speculative_tokens": 1})
    assert found.weights_by_part is not None
    assert found.weights_by_part["draft"] == 2 * catalog_model("Qwen/Qwen3.5-4B").multi_token_prediction.num_parameters


def test_what_is_quantized_of_a_prediction_layer_is_what_the_checkpoint_says() -> None:
    """Qwen3.5-122B-A10B in NVFP4 leaves its layer for prediction in 16 bit: mtp* is on its list."""
    found = weigh("nvidia/Qwen3.5-122B-A10B-NVFP4", H100, 2, speculative={"num_speculative_tokens": 1})
    assert found.weights_by_part is not None
    ahead = catalog_model("nvidia/Qwen3.5-122B-A10B-NVFP4").multi_token_prediction.num_parameters
    assert 2 * found.weights_by_part["draft"] == pytest.approx(2 * ahead, rel=0.02)


@pytest.mark.parametrize(
    ("model", "draft"),
    [
        (LLAMA_3B, None),
        (LLAMA_3B, {"num_parameters": 1_000_000_000}),
        (LLAMA_3B, {"name": "Qwen/Qwen3-0.6B"}),
    ],
)
def test_drafts_that_cannot_be_are_refused(model: str, draft: dict[str, Any] | None) -> None:
    """No layers of its own, no shapes, or another vocabulary: an error that names the field."""
    with pytest.raises(InvalidRequestError) as caught:
        weigh(model, H100, speculative={"num_speculative_tokens": 3, "draft_model": draft})
    assert caught.value.field == "speculative.draft_model"


def test_the_rule_of_thumb_knows_no_drafts() -> None:
    """A bare count has nothing to draft with."""
    with pytest.raises(InvalidRequestError) as caught:
        weigh({"num_parameters": 10**9}, H100, weight_format="bf16", speculative={"num_speculative_tokens": 3})
    assert caught.value.field == "speculative"
