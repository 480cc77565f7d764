"""Decoders that interleave full attention with attention to the latest tokens alone."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from ..attention import Cache, Chunked, FullAttention, SlidingWindow
from ..config import Config
from ..model import Layer, Model, Split, Tensor, together
from .blocks import (
    QkNorm,
    Tensors,
    decoder,
    experts,
    gated_mlp,
    head_dim,
    key_value_heads,
    norms,
    projections,
    refuse_uneven_groups,
)
from .registry import family

LayerType = Literal["full_attention", "sliding_attention", "chunked_attention"]

NORMS_BEFORE = ("input_layernorm", "post_attention_layernorm")
NORMS_AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")
NORMS_AROUND = (*NORMS_BEFORE, "pre_feedforward_layernorm", "post_feedforward_layernorm")


def layer_types(config: Config, otherwise: Callable[[int], LayerType] | None = None) -> list[LayerType]:
    """Which attention each layer has: ``layer_types`` of the config, or ``otherwise`` of the layer's index.

    Raises: ModelUnreadableError when there are not as many as layers, or one is of no known type.
    """
    count, named = config.integer("num_hidden_layers"), config.strings("layer_types")
    if not named and otherwise:
        return [otherwise(index) for index in range(count)]
    if len(named) != count:
        raise config.unreadable("layer_types", f"{len(named)} types for {count} layers")
    known: list[LayerType] = [kind for name in named for kind in get_args(LayerType) if name == kind]
    if len(known) != count:
        strange = next(name for name in named if name not in get_args(LayerType))
        raise config.unreadable(
            "layer_types", f"{strange} is not covered", f"covered: {', '.join(get_args(LayerType))}"
        )
    return known


def every(interval: int, kind: LayerType = "sliding_attention") -> Callable[[int], LayerType]:
    """Every ``interval``-th layer has full attention, the others ``kind``."""
    return lambda index: kind if (index + 1) % interval else "full_attention"


def cache_of(config: Config, kind: LayerType, *, kv_heads: int, width: int) -> Cache:
    """What a layer of that ``kind`` keeps."""
    if kind == "sliding_attention":
        return SlidingWindow(num_key_value_heads=kv_heads, head_dim=width, window=config.integer("sliding_window"))
    if kind == "chunked_attention":
        size = config.integer("attention_chunk_size")
        return Chunked(num_key_value_heads=kv_heads, head_dim=width, attention_chunk_size=size)
    return FullAttention(num_key_value_heads=kv_heads, head_dim=width)


def interleaved(config: Config, tensors: Tensors, types: Sequence[LayerType]) -> list[Layer]:
    """Layers with the same ``tensors``, that differ in what they keep."""
    kv_heads, width = key_value_heads(config), head_dim(config)
    layers = {
        kind: Layer(tensors=tensors, caches=(cache_of(config, kind, kv_heads=kv_heads, width=width),))
        for kind in dict.fromkeys(types)
    }
    return [layers[kind] for kind in types]


def _attention(config: Config, *, qk_norm: QkNorm = "none", bias: bool = False) -> Tensors:
    """Its matrices; ``bias`` is what the family means when ``attention_bias`` is absent."""
    bias = config.flag("attention_bias", default=bias)
    return projections(
        config.integer("hidden_size"),
        config.integer("num_attention_heads"),
        key_value_heads(config),
        head_dim(config),
        qkv_bias=bias,
        output_bias=bias,
        qk_norm=qk_norm,
    )


def _dense(config: Config, norm_modules: Sequence[str], *, qk_norm: QkNorm = "none") -> Tensors:
    """Attention, one gated feed-forward and norms."""
    return (
        *_attention(config, qk_norm=qk_norm),
        *gated_mlp(config, config.integer("intermediate_size")),
        *norms(config.integer("hidden_size"), norm_modules),
    )


@family("Gemma2ForCausalLM")
def gemma2(config: Config) -> Model:
    """Gemma 2: a window in every other layer, norms before and after each block, tied embeddings."""
    layers = interleaved(config, _dense(config, NORMS_AROUND), layer_types(config, every(2)))
    return decoder(config, "gemma2", layers, tie_word_embeddings=True)


GEMMA3_DEFAULTS = {
    "vocab_size": 262_208,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "max_position_embeddings": 131_072,
}
"""What published Gemma 3 configs leave to their class.  Source: transformers, Gemma3TextConfig."""
GEMMA3_PATTERN = 6
"""Source: transformers, Gemma3TextConfig, where ``sliding_window_pattern`` is absent."""


@family("Gemma3ForCausalLM")
def gemma3(config: Config) -> Model:
    """Gemma 3: full attention in every sixth layer, a norm on each head's queries and keys, tied embeddings."""
    config = config.with_defaults(GEMMA3_DEFAULTS)
    types = layer_types(config, every(config.integer("sliding_window_pattern", default=GEMMA3_PATTERN)))
    layers = interleaved(config, _dense(config, NORMS_AROUND, qk_norm="shared"), types)
    return decoder(config, "gemma3", layers, tie_word_embeddings=True)


@family("Exaone4ForCausalLM")
def exaone4(config: Config) -> Model:
    """EXAONE 4: norms after each block and on each head's queries and keys."""
    layers = interleaved(config, _dense(config, NORMS_AFTER, qk_norm="shared"), layer_types(config))
    return decoder(config, "exaone4", layers)


@family("Olmo3ForCausalLM")
def olmo3(config: Config) -> Model:
    """OLMo 3: full attention in every fourth layer, norms after each block and over all queries and all keys."""
    layers = interleaved(config, _dense(config, NORMS_AFTER, qk_norm="per head"), layer_types(config, every(4)))
    return decoder(config, "olmo3", layers)


def _sinks(heads: int) -> Tensor:
    """A logit for each head that attention may fall into."""
    return Tensor(module="self_attn.sinks", part="attention", shape=(heads,), split=Split.ROWS, heads=heads)


@family("GptOssForCausalLM")
def gpt_oss(config: Config) -> Model:
    """gpt-oss: a window in every other layer, sinks, every layer sparse, biases everywhere."""
    width = config.integer("intermediate_size")
    tensors = (
        *_attention(config, bias=True),
        _sinks(config.integer("num_attention_heads")),
        *experts(config, width, router_bias=True, bias=True),
        *norms(config.integer("hidden_size"), NORMS_BEFORE),
    )
    layers = interleaved(config, tensors, layer_types(config, every(2)))
    return decoder(config, "gpt_oss", layers, intermediate_size=config.integer("num_experts_per_tok") * width)


LLAMA4_ROPE_INTERVAL = 4
"""Every fourth layer has no rotary embedding and full attention.  Source: transformers, Llama4TextConfig."""


def llama4_text(config: Config) -> Model:
    """The decoder of Llama 4: attention within chunks, a shared expert beside the routed ones."""
    width, step = config.integer("intermediate_size"), config.integer("interleave_moe_layer_step")
    dense_width, count = config.integer("intermediate_size_mlp"), config.integer("num_hidden_layers")
    interval = config.integer("no_rope_layer_interval", default=LLAMA4_ROPE_INTERVAL)
    rotated = config.integers("no_rope_layers")
    if rotated and len(rotated) != count:
        raise config.unreadable("no_rope_layers", f"{len(rotated)} entries for {count} layers")
    chunked = every(interval, "chunked_attention")
    types = layer_types(
        config,
        (lambda index: "chunked_attention" if rotated[index] else "full_attention") if rotated else chunked,
    )
    sparse_layers = config.integers("moe_layers") or range(step - 1, count, step)
    around = (*_attention(config), *norms(config.integer("hidden_size"), NORMS_BEFORE))
    routed = (
        *experts(config, width, module="feed_forward"),
        *gated_mlp(config, width, module="feed_forward.shared_expert"),
    )
    sparse = interleaved(config, (*around, *routed), types)
    dense = interleaved(config, (*around, *gated_mlp(config, dense_width, module="feed_forward")), types)
    layers = [sparse[index] if index in sparse_layers else dense[index] for index in range(count)]
    active = (config.integer("num_experts_per_tok") + 1) * width
    return decoder(config, "llama4", layers, intermediate_size=max(active, dense_width))


@family("MiMoV2FlashForCausalLM")
def mimo_v2_flash(config: Config) -> Model:
    """MiMo-V2-Flash: more key-value heads within a window, values narrower than keys, sinks by switch."""
    count = config.integer("num_hidden_layers")
    windowed, routed = config.integers("hybrid_layer_pattern"), config.integers("moe_layer_freq")
    for name, entries in (("hybrid_layer_pattern", windowed), ("moe_layer_freq", routed)):
        if len(entries) != count:
            raise config.unreadable(name, f"{len(entries)} entries for {count} layers")
    if config.count("num_shared_experts"):
        raise config.unreadable("n_shared_experts", "shared experts are not covered here")
    width = config.integer("moe_intermediate_size")
    layers = {
        key: _mimo_v2_layer(config, slides=bool(key[0]), width=width if key[1] else None)
        for key in set(zip(windowed, routed, strict=True))
    }
    return decoder(
        config,
        "mimo_v2_flash",
        [layers[key] for key in zip(windowed, routed, strict=True)],
        intermediate_size=max(config.integer("num_experts_per_tok") * width, config.integer("intermediate_size")),
    )


def _mimo_v2_layer(config: Config, *, slides: bool, width: int | None) -> Layer:
    """One layer; ``width`` is that of an expert, None for a dense layer."""
    hidden_size, prefix = config.integer("hidden_size"), "swa_" if slides else ""
    heads, kv_heads = config.integer(f"{prefix}num_attention_heads"), config.integer(f"{prefix}num_key_value_heads")
    refuse_uneven_groups(config, f"{prefix}num_key_value_heads", heads, kv_heads)
    keys, values = config.integer(f"{prefix}head_dim"), config.integer(f"{prefix}v_head_dim")
    bias = config.flag("attention_bias", default=False)
    tensors = projections(hidden_size, heads, kv_heads, keys, value_width=values, qkv_bias=bias)
    if config.flag(f"add_{'swa' if slides else 'full'}_attention_sink_bias", default=False):
        tensors += (_sinks(heads),)
    tensors += (
        experts(config, width, routing_bias=True) if width else gated_mlp(config, config.integer("intermediate_size"))
    )
    tensors += norms(hidden_size, NORMS_BEFORE)
    cache = (
        SlidingWindow(
            num_key_value_heads=kv_heads, head_dim=keys, v_head_dim=values, window=config.integer("sliding_window")
        )
        if slides
        else FullAttention(num_key_value_heads=kv_heads, head_dim=keys, v_head_dim=values)
    )
    return Layer(tensors=tensors, caches=(cache,))


def _head_gates(heads: int, hidden_size: int) -> Tensor:
    """What each head's output is multiplied by, computed from the hidden state."""
    return Tensor(
        module="self_attn.g_proj",
        part="attention",
        shape=(heads, hidden_size),
        split=Split.ROWS,
        heads=heads,
        is_quantizable=True,
    )


@family("Step3p7FlashForCausalLM")
def step3p7_flash(config: Config) -> Model:
    """Step 3.5 and 3.7 Flash: a gate for each head, dense first layers, routed and shared experts after.

    Layers that predict further are dense, within a window, and have output matrices of their own.
    Sources: transformers, modeling_step3p7.py; vLLM, step3p5_mtp.py.
    """
    hidden_size, heads = config.integer("hidden_size"), config.integer("num_attention_heads")
    width, shared = config.integer("moe_intermediate_size"), config.integer("share_expert_dim")
    first, dense_width = config.count("first_k_dense_replace"), config.integer("intermediate_size")
    around = (
        *_attention(config, qk_norm="shared"),
        _head_gates(heads, hidden_size),
        *norms(hidden_size, NORMS_BEFORE),
    )
    routed = (
        *experts(config, width, routing_bias=config.flag("use_moe_router_bias", default=False)),
        *gated_mlp(config, shared, module="mlp.shared_experts"),
    )
    types = layer_types(config)
    dense_tensors = (*around, *gated_mlp(config, dense_width))
    dense, sparse = interleaved(config, dense_tensors, types), interleaved(config, (*around, *routed), types)
    around_ahead = (
        *norms(hidden_size, ["enorm", "hnorm", "shared_head.norm"]),
        Tensor(module="eh_proj", part="mlp", shape=(hidden_size, 2 * hidden_size)),
        Tensor(
            module="shared_head.head",
            part="output",
            shape=(config.integer("vocab_size"), hidden_size),
            split=Split.VOCABULARY,
        ),
    )
    # The config does not say what these layers attend to: full attention keeps the most.
    ahead = interleaved(config, dense_tensors, ["full_attention"] * config.count("num_nextn_predict_layers"))
    return decoder(
        config,
        "step3p7_flash",
        [*dense[:first], *sparse[first:]],
        intermediate_size=max(config.integer("num_experts_per_tok") * width + shared, dense_width),
        multi_token_prediction=together(ahead, around_ahead * len(ahead)),
    )


@family("LagunaForCausalLM")
def laguna(config: Config) -> Model:
    """Laguna: more query heads within a window, a gate for each head, dense and sparse layers by list."""
    count, types = config.integer("num_hidden_layers"), layer_types(config)
    heads, kinds = config.integers("num_attention_heads_per_layer"), config.strings("mlp_layer_types")
    for name, entries in (("num_attention_heads_per_layer", heads), ("mlp_layer_types", kinds)):
        if len(entries) != count:
            raise config.unreadable(name, f"{len(entries)} entries for {count} layers")
    if set(kinds) - {"dense", "sparse"}:
        raise config.unreadable("mlp_layer_types", "only dense and sparse are covered")
    if config.text("gating", default="") != "per-head":
        raise config.unreadable("gating", "only a gate per head is covered")
    keys = list(zip(types, heads, kinds, strict=True))
    layers = {key: _laguna_layer(config, *key) for key in set(keys)}
    active = config.integer("num_experts_per_tok") * config.integer("moe_intermediate_size")
    return decoder(
        config,
        "laguna",
        [layers[key] for key in keys],
        intermediate_size=max(
            active + config.integer("shared_expert_intermediate_size"), config.integer("intermediate_size")
        ),
    )


def _laguna_layer(config: Config, kind: LayerType, heads: int, feed_forward: str) -> Layer:
    hidden_size, kv_heads, width = config.integer("hidden_size"), key_value_heads(config), head_dim(config)
    refuse_uneven_groups(config, "num_attention_heads_per_layer", heads, kv_heads)
    bias = config.flag("attention_bias", default=False)
    tensors = projections(hidden_size, heads, kv_heads, width, qkv_bias=bias, output_bias=bias, qk_norm="shared")
    if feed_forward == "sparse":
        passed: Tensors = (
            *experts(config, config.integer("moe_intermediate_size"), routing_bias=True),
            *gated_mlp(config, config.integer("shared_expert_intermediate_size"), module="mlp.shared_experts"),
        )
    else:
        passed = gated_mlp(config, config.integer("intermediate_size"))
    around = norms(hidden_size, NORMS_BEFORE)
    return Layer(
        tensors=(*tensors, _head_gates(heads, hidden_size), *passed, *around),
        caches=(cache_of(config, kind, kv_heads=kv_heads, width=width),),
    )
