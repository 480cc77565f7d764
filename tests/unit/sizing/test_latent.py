"""Attention that keeps a latent: bytes that engines, publishers and engine sources state."""

from typing import Any

import pytest

from schemas.errors import ModelUnreadableError
from schemas.parse import parse_request
from sizing.catalog.catalog import load_catalog
from sizing.catalog.gpus import GIB
from sizing.catalog.models import catalog_model, load_models
from sizing.families import read_model
from sizing.model import Model
from sizing.resolve import resolve
from sizing.weights import Placement
from tests.unit.sizing.weighing import weigh

H100 = "H100 SXM5 80GB"
MIB = 2**20


def config_of(name: str, **changes: object) -> dict[str, Any]:
    """A catalogue config as if it were not quantized, with ``changes``."""
    fields = {key: value for key, value in load_models().find(name).config().items() if key != "quantization_config"}
    if "text_config" in fields:
        text = fields["text_config"].items()
        fields["text_config"] = {key: value for key, value in text if key != "quantization_config"}
    return {**fields, **changes}


def bytes_of(model: Model, kind: str, bits: int, ranks: int = 1) -> list[int]:
    """Bytes a token of each cache of ``kind``, layer by layer."""
    found = [cache for layer in model.layers for cache in layer.caches if cache.kind == kind]
    return [cache.bits_per_token(bits, ranks) // 8 for cache in found]


def test_a_token_of_deepseek_v3_keeps_its_latent_on_every_rank() -> None:
    """61 x 576 x 2 bytes, whole at 16 ranks: 24 to 27 GiB of pool on 80 GiB hold 44 to 50 sequences of 8,192."""
    found = weigh("deepseek-ai/DeepSeek-V3", H100, 16, workload={"max_model_len": 8192})
    assert found.kv_cache is not None
    assert found.kv_cache.bytes_per_token == 70_272
    assert found.kv_cache.bytes_per_token_per_gpu == 70_272
    assert 24 <= found.kv_cache.pool_bytes_per_gpu / GIB <= 27
    assert 44 <= int(found.kv_cache.max_concurrency) <= 50


def test_an_8_bit_cache_halves_a_latent() -> None:
    """FP8 halves the bytes of dense attention to a latent: nothing beside it is kept."""
    assert sum(bytes_of(catalog_model("deepseek-ai/DeepSeek-V3"), "latent", 8)) == 70_272 // 2


def test_llama_cpp_prints_the_same_latents() -> None:
    """KV self size 2196.00 MiB of 32,768 cells in f16 for DeepSeek-V3 (ggml-org/llama.cpp#11446)."""
    assert sum(bytes_of(catalog_model("deepseek-ai/DeepSeek-V3"), "latent", 16)) * 32_768 / MIB == 2196


def test_deepseek_v3_weighs_what_is_published() -> None:
    """The FP8 checkpoint with its multi-token-prediction layer takes 641.285 GiB."""
    request = parse_request({"model": {"name": "deepseek-ai/DeepSeek-V3"}, "hardware": {"gpu": H100}})
    deployment = resolve(request, load_catalog())
    placement = Placement(storage=deployment.storage, sizes=deployment.split, vocabulary_padding=1)
    model = catalog_model("deepseek-ai/DeepSeek-V3")
    tensors = (
        *model.embedding,
        *model.output,
        *model.multi_token_prediction.tensors,
        *(tensor for layer in model.layers for tensor in layer.tensors),
    )
    assert sum(placement.part_bytes(tensors).values()) / GIB == pytest.approx(641.285, abs=0.01)


@pytest.mark.parametrize(
    ("model", "count", "weights_gib", "pool_gib", "tokens"),
    [
        # vLLM 0.19.0 on H100 80 GB, max_num_batched_tokens 8192 (llm-d-incubation/llm-d-planner#205).
        ("deepseek-ai/DeepSeek-V2-Lite-Chat", 1, 29.43, 43.61, 1_505_552),
        ("moonshotai/Kimi-VL-A3B-Instruct", 1, 30.74, 41.32, 1_426_368),
        ("moonshotai/Kimi-VL-A3B-Instruct", 2, 15.53, 54.78, 1_890_896),
    ],
)
def test_ranks_share_weights_and_not_latents(
    model: str, count: int, weights_gib: float, pool_gib: float, tokens: int
) -> None:
    """Kimi-VL keeps 31.1 KB a token on each GPU at one rank and at two, as vLLM prints; its weights divide."""
    found = weigh(model, H100, count)
    assert found.kv_cache is not None
    assert found.kv_cache.bytes_per_token_per_gpu == pytest.approx(pool_gib * GIB / tokens, rel=2e-4)
    assert found.per_gpu.weights_bytes / GIB == pytest.approx(weights_gib, rel=0.015)


def test_one_long_request_of_kimi_k2_5() -> None:
    """262,144 tokens need 8.58 GiB on each of 8 GPUs with an 8-bit cache (SemiAnalysisAI/InferenceX#1587)."""
    found = weigh(
        {"config": config_of("moonshotai/Kimi-K2.5")},
        "H200 SXM 141GB",
        8,
        kv_cache_dtype="fp8",
        workload={"max_model_len": 262_144},
    )
    assert found.kv_cache is not None
    assert found.kv_cache.bytes_per_sequence_per_gpu / GIB == pytest.approx(8.58, abs=0.005)


def test_sparse_attention_packs_an_8_bit_latent_and_keeps_index_keys_beside_it() -> None:
    """vLLM: 656 bytes in fp8_ds_mla, else 1152, and 132 bytes of index key whatever the cache type, on every rank."""
    model = catalog_model("deepseek-ai/DeepSeek-V3.2")
    for ranks in (1, 8):
        assert bytes_of(model, "latent", 8, ranks) == [656] * 61
        assert bytes_of(model, "latent", 16, ranks) == [1152] * 61
        assert bytes_of(model, "index", 8, ranks) == bytes_of(model, "index", 16, ranks) == [132] * 61


@pytest.mark.parametrize(("model", "indexed"), [("zai-org/GLM-5", 78), ("zai-org/GLM-5.2", 21)])
def test_layers_that_reuse_a_choice_keep_no_index_keys(model: str, indexed: int) -> None:
    """GLM-5 chooses tokens in each of its 78 layers, GLM-5.2 in the 21 that its indexer_types call full."""
    assert len(bytes_of(catalog_model(model), "index", 16)) == indexed
    assert len(bytes_of(catalog_model(model), "latent", 16)) == 78


def test_minimax_m3_keeps_keys_values_and_one_index_key() -> None:
    """4 x 128 keys and values in 60 layers, divided by heads, and 128 index keys in 16 bits, whole, in 57."""
    model = catalog_model("MiniMaxAI/MiniMax-M3")
    assert bytes_of(model, "full", 16, 4) == [2 * 128 * 2] * 60
    assert bytes_of(model, "index", 16, 4) == bytes_of(model, "index", 8, 4) == [256] * 57


def test_a_million_tokens_of_deepseek_v4_pro() -> None:
    """9.62 GiB in bfloat16 (vLLM, "DeepSeek V4 in vLLM", 24 April 2026): latents, and index keys in bfloat16 too."""
    model = read_model(config_of("deepseek-ai/DeepSeek-V4-Pro"))
    latents = sum(bytes_of(model, "compressed", 16)) * 2**20
    # vLLM itself keeps index keys in 8 bits; the figure counts 128 bfloat16 elements for every 4 tokens.
    index_keys = len(bytes_of(model, "compressed-index", 16)) * 128 * 2 // 4 * 2**20
    windows = sum(bytes_of(model, "latent-window", 16)) * 128
    assert (latents + index_keys + windows) / GIB == pytest.approx(9.62, abs=0.006)


def test_a_latent_of_deepseek_v4_in_8_bits() -> None:
    """vLLM: 448 + 128 + 8 bytes a latent, one for 4 tokens or for 128, and 132 bytes of index key for 4."""
    model = read_model(config_of("deepseek-ai/DeepSeek-V4-Flash"))
    assert bytes_of(model, "latent-window", 8) == [584] * 43
    assert sorted(set(bytes_of(model, "compressed", 8))) == [584 // 128, 584 // 4]
    assert set(bytes_of(model, "compressed-index", 8)) == {132 // 4}


@pytest.mark.parametrize(
    ("model", "batched_tokens", "tokens", "needed_gib"),
    [
        # "GiB KV cache is needed" for one request: vllm-project/vllm#44376 (the default batch on 96 GB), #53961.
        ("deepseek-ai/DeepSeek-V4-Flash", 8192, 30_000, 6.66),
        ("deepseek-ai/DeepSeek-V4-Pro", 16_384, 1_048_576, 23.32),
    ],
)
def test_one_request_of_deepseek_v4(model: str, batched_tokens: int, tokens: int, needed_gib: float) -> None:
    """States of compressors for the batches in flight outweigh the latents; what fills up groups of layers is left."""
    caches = [cache for layer in read_model(config_of(model)).layers for cache in layer.caches]
    bits = sum(cache.bits_per_token(8, 1) * cache.tokens_kept(tokens, batched_tokens) for cache in caches)
    assert bits / 8 / GIB == pytest.approx(needed_gib, rel=0.2)
    assert bits / 8 / GIB < needed_gib


@pytest.mark.parametrize(
    "missing", ["kv_lora_rank", "qk_rope_head_dim", "v_head_dim", "moe_intermediate_size", "index_head_dim"]
)
def test_a_missing_field_of_sparse_latent_attention_is_named(missing: str) -> None:
    """No width of latent attention or its indexer is filled with a default."""
    config = config_of("deepseek-ai/DeepSeek-V3.2")
    del config[missing]
    with pytest.raises(ModelUnreadableError) as caught:
        read_model(config)
    assert caught.value.field == f"model.config.{missing}"


@pytest.mark.parametrize(
    ("model", "changes", "field"),
    [
        ("zai-org/GLM-5.2", {"indexer_types": ["full"]}, "indexer_types"),
        ("zai-org/GLM-5.2", {"indexer_types": ["full", "half"] * 39}, "indexer_types"),
        ("zai-org/GLM-5.2", {"indexer_types": None}, "indexer_types"),
        ("zai-org/GLM-5.2", {"mlp_layer_types": ["dense"]}, "mlp_layer_types"),
        ("deepseek-ai/DeepSeek-V4-Flash", {"compress_ratios": [4] * 43}, "compress_ratios"),
        ("deepseek-ai/DeepSeek-V4-Flash", {"compress_ratios": [8] * 44}, "compress_ratios"),
        ("deepseek-ai/DeepSeek-V4-Flash", {"o_groups": 7}, "o_groups"),
        ("MiniMaxAI/MiniMax-M3", {"moe_layer_freq": [1, 0]}, "moe_layer_freq"),
        ("MiniMaxAI/MiniMax-M3", {"sparse_attention_config": None}, "sparse_attention_config"),
        ("MiniMaxAI/MiniMax-M3", {"sparse_attention_config": {}}, "sparse_attention_config.use_sparse_attention"),
        ("moonshotai/Kimi-K2.5", {"vision_config": None}, "vision_config"),
        ("moonshotai/Kimi-K2.5", {"text_config": None}, "text_config"),
    ],
)
def test_what_does_not_say_what_each_layer_keeps_is_refused(model: str, changes: dict[str, Any], field: str) -> None:
    """Lists of layers must be whole and of known words, and parts of a multimodal config there."""
    with pytest.raises(ModelUnreadableError) as caught:
        read_model(config_of(model, **changes))
    assert caught.value.field == f"model.config.{field}"


@pytest.mark.parametrize(
    ("model", "billions"),
    [
        ("deepseek-ai/DeepSeek-V3", 37),
        ("deepseek-ai/DeepSeek-V4-Flash", 13),
        ("deepseek-ai/DeepSeek-V4-Pro", 49),
        ("moonshotai/Kimi-K2-Instruct", 32),
        ("zai-org/GLM-5", 40),
    ],
)
def test_active_parameters_of_latent_mixtures(model: str, billions: float) -> None:
    """Active parameters without the embedding, a table that is looked up, are what the publishers state."""
    found = read_model(config_of(model))
    embedding = sum(tensor.num_parameters for tensor in found.embedding)
    assert (found.num_active_parameters - embedding) / 1e9 == pytest.approx(billions, rel=0.025)
