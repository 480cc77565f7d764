"""Layers with a recurrent state: what one sequence keeps, worked out by hand from published configs."""

import copy
from collections import Counter
from typing import Any

import pytest

from schemas.errors import InvalidRequestError, ModelUnreadableError
from sizing.attention import LinearAttention, Mamba, Mamba2, Recurrence
from sizing.catalog.models import load_models
from sizing.families import read_model
from sizing.model import Model
from tests.unit.sizing.weighing import weigh


def _read(name: str, **changes: object) -> Model:
    """A model of the catalogue as its unquantized config has it, with ``changes`` to the config."""
    config: dict[str, Any] = {**load_models().find(name).config(), **changes}
    config.pop("quantization_config", None)
    if "text_config" in config:
        config["text_config"] = {**config["text_config"]}
        config["text_config"].pop("quantization_config", None)
    return read_model({key: value for key, value in config.items() if value is not None})


def _states(model: Model) -> list[Recurrence]:
    return [cache for layer in model.layers for cache in layer.caches if isinstance(cache, Recurrence)]


def _state_bytes(name: str, bits: int = 16, ranks: int = 1) -> int:
    return sum(state.state_bytes(bits, ranks) for state in _states(_read(name)))


DELTA_NET = LinearAttention(
    num_key_heads=16, num_value_heads=48, key_head_dim=128, value_head_dim=128, conv_kernel=4, recurrent_bits=32
)
"""Of Qwen3.5-27B and Qwen3.6-27B."""


def test_a_delta_net_keeps_three_inputs_and_a_matrix_a_head() -> None:
    """Qwen3-Next: 36 layers of 3 x (2 x 16 + 32) x 128 inputs and 32 x 128 x 128 numbers, all in bfloat16."""
    assert _state_bytes("Qwen/Qwen3-Next-80B-A3B-Instruct") == 36 * 2 * (3 * (2 * 16 + 32) * 128 + 32 * 128 * 128)


def test_a_delta_net_keeps_its_matrix_in_the_type_the_config_names() -> None:
    """Qwen3.5-27B, mamba_ssm_dtype float32: 48 layers of 3 x (2 x 16 + 48) x 128 x 2 + 48 x 128 x 128 x 4 bytes."""
    assert _state_bytes("Qwen/Qwen3.5-27B") == 48 * (3 * (2 * 16 + 48) * 128 * 2 + 48 * 128 * 128 * 4)


def test_vllm_sizes_its_blocks_by_this_state() -> None:
    """vLLM 0.27.1 logs an attention block of 784 tokens for Qwen3.6-27B on two ranks: the least that holds a state.

    A token takes 2 x 2 heads x 256 x 2 bytes on a rank, and blocks are multiples of 16.
    Source: souspilot/DiscoverPhysicsWIP, logs/vllm.log.
    """
    sixteen_tokens = 16 * 2 * 2 * 256 * 2
    assert -(-DELTA_NET.state_bytes(16, 2) // sixteen_tokens) * 16 == 784


def test_mamba_keeps_a_few_numbers_a_channel() -> None:
    """Mamba 2.8B: 64 layers of 5120 channels, 3 inputs and 16 numbers each, served in 16 bits."""
    assert _state_bytes("state-spaces/mamba-2.8b-hf") == 64 * 5120 * (3 + 16) * 2


def test_mamba2_keeps_a_matrix_a_head() -> None:
    """Nemotron-H 8B: 24 layers of 3 x (128 x 64 + 2 x 8 x 128) x 2 + 128 x 64 x 128 x 4 bytes."""
    assert _state_bytes("nvidia/Nemotron-H-8B-Base-8K") == 24 * (3 * (128 * 64 + 2 * 8 * 128) * 2 + 128 * 64 * 128 * 4)


def test_falcon_h1_keeps_what_llama_cpp_allocates() -> None:
    """llama.cpp, which keeps states in float32, logs 72.98 MiB a sequence for Falcon-H1 1.5B.

    Source: GeniePod/genie-claw, issue 410.
    """
    assert int(_state_bytes("tiiuae/Falcon-H1-1.5B-Instruct", bits=32) * 100 / 2**20) == 7298


def test_an_8_bit_kv_cache_leaves_states_as_they_are() -> None:
    """States are kept as the model computes, whatever keys and values are kept in."""
    assert DELTA_NET.state_bytes(8, 1) == DELTA_NET.state_bytes(16, 1)
    assert DELTA_NET.bits_per_token(8, 1) == DELTA_NET.tokens_kept(10**6, 8192) == 0


@pytest.mark.parametrize(
    "state",
    [
        DELTA_NET,
        Mamba(intermediate_size=5120, state_size=16, conv_kernel=4),
        Mamba2(num_heads=128, head_dim=64, num_groups=8, state_size=128, conv_kernel=4, recurrent_bits=32),
    ],
)
def test_states_are_divided_between_ranks(state: Recurrence) -> None:
    """Two ranks keep half each; a number of ranks that does not divide the heads is refused."""
    assert 2 * state.state_bytes(16, 2) == state.state_bytes(16, 1)
    with pytest.raises(InvalidRequestError, match="cannot be divided"):
        state.state_bytes(16, 7)


def test_groups_are_replicated_where_ranks_outnumber_them() -> None:
    """Falcon-H1's one group, on each of two ranks: inputs of 24 x 64 + 2 x 256 channels, a state of 24 x 64 x 256."""
    state = Mamba2(num_heads=48, head_dim=64, num_groups=1, state_size=256, conv_kernel=4)
    assert state.convolution_shape(2) == (3, 24 * 64 + 2 * 256)
    assert state.recurrent_shape(2) == (24, 64, 256)
    assert state.state_bytes(16, 2) == 2 * (3 * (24 * 64 + 2 * 256) + 24 * 64 * 256)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", {("linear",): 36, ("full",): 12}),
        ("Qwen/Qwen3.5-35B-A3B", {("linear",): 30, ("full",): 10}),
        ("ai21labs/Jamba-v0.1", {("mamba",): 28, ("full",): 4}),
        ("tiiuae/falcon-mamba-7b", {("mamba",): 64}),
        ("tiiuae/Falcon-H1-1.5B-Instruct", {("full", "mamba2"): 24}),
        ("ibm-granite/granite-4.0-h-small", {("mamba2",): 36, ("full",): 4}),
        ("nvidia/Nemotron-H-8B-Base-8K", {("mamba2",): 24, ("full",): 4, (): 24}),
        ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8", {("mamba2",): 40, ("full",): 8, (): 40}),
        ("nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4", {("mamba2",): 23, ("full",): 6, (): 23}),
        ("moonshotai/Kimi-K3", {("linear",): 69, ("latent",): 24}),
    ],
)
def test_each_layer_keeps_what_its_config_says(name: str, kinds: dict[tuple[str, ...], int]) -> None:
    """Patterns, periods and lists of layers are read as published; feed-forwards by themselves keep nothing."""
    model = _read(name)
    assert Counter(tuple(cache.kind for cache in layer.caches) for layer in model.layers) == kinds


def test_kimi_k3_counts_as_its_checkpoint() -> None:
    """The shapes of the checkpoint's tensors, summed; of A_log's 128 numbers a layer 96 are heads, the rest padding.

    Without embedding, experts and encoder they are 108.8 GB, as published extracts are.
    """
    wide, hidden = 96 * 128, 7168
    around = 6 * hidden
    delta = 5 * wide * hidden + 3 * wide * 4 + 128 * hidden + wide * 128 + wide + 96 + 96 * hidden + 128
    latent = 1536 * hidden + 1536 + 192 * 96 * 1536 + 576 * hidden + 512 + 256 * 96 * 512 + 2 * wide * hidden
    chosen = 896 * hidden + 896 + 2 * 3584 * hidden + 3584 + 3 * 6144 * hidden
    experts = 896 * 3 * 3072 * 3584
    tower = 27 * (4608 * 1024 + 1024 * 1536 + 2 * 4096 * 1024 + 2 * 1024) + 1024 * (588 + 4096 + 1)
    projector = 4096 * 4096 + hidden * 4096 + hidden
    trunk = 69 * delta + 24 * latent + 3 * 33_792 * hidden + 92 * chosen + 93 * around
    whole = trunk + 92 * experts + 2 * 163_840 * hidden + 3 * hidden + tower + projector
    assert _read("moonshotai/Kimi-K3").num_parameters == whole
    assert round(2 * trunk / 1e9, 1) == 108.8


def test_a_model_without_attention_is_divided_by_its_channels() -> None:
    """Mamba has no heads: what divides its channels and vocabulary divides it, and nothing is refused for heads."""
    assert _read("state-spaces/mamba-2.8b-hf").num_attention_heads == 0
    one, two = (weigh("state-spaces/mamba-2.8b-hf", "RTX 4090", count).kv_cache for count in (1, 2))
    assert one
    assert two
    assert one.bytes_per_token == 0
    assert one.bytes_per_sequence_per_gpu == 2 * two.bytes_per_sequence_per_gpu
    with pytest.raises(InvalidRequestError) as caught:
        weigh("state-spaces/mamba-2.8b-hf", "RTX 4090", 3)
    assert (caught.value.hint or "").startswith("sizes that divide this model: 1, 2, 4, 8")


QWEN, NEMOTRON = "Qwen/Qwen3-Next-80B-A3B-Instruct", "nvidia/Nemotron-H-8B-Base-8K"
GRANITE, LIGHTNING = "ibm-granite/granite-4.0-h-small", "nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4"


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        (QWEN, "linear_num_key_heads", 5),
        (QWEN, "linear_num_key_heads", None),
        (QWEN, "mlp_only_layers", [0]),
        (QWEN, "full_attention_interval", None),
        (QWEN, "mamba_ssm_dtype", "float64"),
        (QWEN, "layer_types", ["linear_attention", "sliding_attention"]),
        (NEMOTRON, "hybrid_override_pattern", None),
        (NEMOTRON, "hybrid_override_pattern", "M-M*X"),
        (NEMOTRON, "hybrid_override_pattern", "M-M*"),
        (NEMOTRON, "n_groups", 3),
        (LIGHTNING, "layers_block_type", ["mamba", "convolution"]),
        (LIGHTNING, "mtp_layers_block_type", None),
        (GRANITE, "layer_types", ["mamba", "attention"]),
        (GRANITE, "layer_types", ["mamba", "recurrent"]),
        ("tiiuae/Falcon-H1-1.5B-Instruct", "mamba_d_ssm", 4096),
        ("ai21labs/Jamba-v0.1", "mamba_dt_rank", "auto"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, field: str, value: object) -> None:
    """A pattern or size that is absent, unknown or contradicts the rest is refused by its field."""
    with pytest.raises(ModelUnreadableError) as caught:
        _read(name, **{field: value})
    named = {
        "n_groups": "mamba_n_groups",
        "mamba_dt_rank": "time_step_rank",
        "mtp_layers_block_type": "mtp_hybrid_override_pattern",
    }
    assert caught.value.field == f"model.config.{named.get(field, field)}"


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("Qwen/Qwen3.5-9B", "text_config.mtp_use_dedicated_embeddings", True),
        ("Qwen/Qwen3.5-9B", "text_config.layer_types", ["linear_attention"]),
        ("moonshotai/Kimi-K3", "text_config.num_nextn_predict_layers", 1),
        ("moonshotai/Kimi-K3", "text_config.linear_attn_config.full_attn_layers", [4, 8]),
        ("moonshotai/Kimi-K3", "vision_config.norm_type", "layernorm"),
        ("moonshotai/Kimi-K3", "vision_config.attn_bias", True),
    ],
)
def test_what_cannot_be_read_in_a_part_is_named_by_its_path(name: str, path: str, value: object) -> None:
    """A field of a nested part that contradicts the rest, or is not covered, is refused by its whole path."""
    config = copy.deepcopy(load_models().find(name).config())
    *parts, field = path.split(".")
    place = config
    for part in parts:
        place = place[part]
    place[field] = value
    with pytest.raises(ModelUnreadableError) as caught:
        read_model(config)
    assert caught.value.field == f"model.config.{path}"


def test_prediction_layers_are_counted_apart() -> None:
    """Qwen3.5-27B's weights are published as 55.6 GB in bfloat16, its layer that predicts further included."""
    model = read_model(load_models().find("Qwen/Qwen3.5-27B").config())
    ahead = model.multi_token_prediction.num_parameters
    assert round(2 * (model.num_parameters + ahead) / 1e9, 1) == 55.6
    assert not any(tensor.module.startswith("mtp") for layer in model.layers for tensor in layer.tensors)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_gates_of_the_delta_rule_stay_in_sixteen_bit(ranks: int) -> None:
    """Qwen3.5-27B in FP8 by blocks of 128 starts on two ranks, though each has 24 of the gates' 48 rows.

    Source: mitchross/talos-argocd-proxmox#1995, tensor parallel over two RTX 3090.  Against BF16, a rank saves one byte
    for each element of the matrices that are quantized, less four for each of their blocks.
    """
    in_bf16, in_fp8 = (
        weigh("Qwen/Qwen3.5-27B", "H200", ranks, weight_format=name).per_gpu.weights_bytes
        for name in ("bf16", "fp8-block")
    )
    attention = 16 * ((2 * 24 + 2 * 4) * 256 + 24 * 256) * 5120
    linear = 48 * ((2 * 16 + 2 * 48) * 128 + 48 * 128) * 5120
    feed_forward = 64 * 3 * 17408 * 5120
    saved = (attention + linear + feed_forward) // ranks
    assert in_bf16 - in_fp8 == saved - 4 * saved // 128**2
