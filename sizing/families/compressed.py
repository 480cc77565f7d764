"""Decoders whose attention compresses several tokens into one latent."""

from dataclasses import replace

from ..attention import Cache, CompressedAttention, CompressedIndexKeys, CompressorState, LatentWindow
from ..config import Config
from ..model import Layer, Model, Split, Tensor, together
from .blocks import Tensors, decoder, experts, gated_mlp, linear, norms, vector
from .registry import family

INDEXED_RATIO, RATIOS = 4, (0, 4, 128)
"""Layers of this ratio choose among their latents, and compress windows that overlap; all ratios there are.
Source: vLLM, DeepseekV4Attention; transformers, DeepseekV4CSACompressor."""


@family("DeepseekV4ForCausalLM")
def deepseek_v4(config: Config) -> Model:
    """DeepSeek-V4: a window of latents in every layer, compressed ones beside it by ``compress_ratios``."""
    count, ahead = config.integer("num_hidden_layers"), config.count("num_nextn_predict_layers")
    ratios = config.integers("compress_ratios")
    if len(ratios) < count + ahead or not set(ratios) <= set(RATIOS):
        raise config.unreadable("compress_ratios", f"not one of {RATIOS} for each of {count + ahead} layers")
    hashed = config.count("num_hash_layers")
    known: dict[tuple[int, bool], Layer] = {}

    def layer(index: int) -> Layer:
        key = (ratios[index], index < hashed)
        if key not in known:
            known[key] = _layer(config, *key)
        return known[key]

    width = config.integer("moe_intermediate_size")
    active = width * (config.integer("num_experts_per_tok") + config.count("num_shared_experts"))
    head = _hyper_head(config, "hc_head")
    model = decoder(
        config,
        "deepseek_v4",
        [layer(index) for index in range(count)],
        intermediate_size=active,
        multi_token_prediction=together(map(layer, range(count, count + ahead)), _around(config) * ahead),
    )
    return replace(model, output=(*model.output, *head), layers_module="layers", ahead_module="mtp")


def _layer(config: Config, ratio: int, is_hashed: bool) -> Layer:  # noqa: FBT001 - a key of layers that are alike
    tensors, caches = _attention(config)
    if ratio:
        more, kept = _compressor(config, ratio)
        tensors, caches = tensors + more, caches + kept
    hidden_size = config.integer("hidden_size")
    return Layer(
        tensors=(
            *tensors,
            *_routed(config, is_hashed=is_hashed),
            *norms(hidden_size, ["attn_norm", "ffn_norm"]),
            *_hyper_connection(config, "hc_attn"),
            *_hyper_connection(config, "hc_ffn"),
        ),
        caches=caches,
    )


def _attention(config: Config) -> tuple[Tensors, tuple[Cache, ...]]:
    """Queries through a low rank, one latent for all heads, and an output through a low rank a group of heads.

    Source: vLLM, DeepseekV4Attention: the low ranks of queries and latent are whole, the rest divided by heads and
    by groups of heads.
    """
    hidden_size, heads = config.integer("hidden_size"), config.integer("num_attention_heads")
    width, q_rank = config.integer("head_dim"), config.integer("q_lora_rank")
    groups, o_rank = config.integer("o_groups"), config.integer("o_lora_rank")
    if heads % groups:
        raise config.unreadable("o_groups", f"{groups} does not divide {heads} attention heads")
    low, wide = groups * o_rank, heads // groups * width
    tensors = (
        *linear("attn.wq_a", (q_rank, hidden_size), Split.WHOLE, part="attention"),
        *linear("attn.wq_b", (heads * width, q_rank), Split.ROWS, part="attention", heads=heads),
        *linear("attn.wkv", (width, hidden_size), Split.WHOLE, part="attention"),
        *linear("attn.wo_a", (low, wide), Split.ROWS, part="attention", heads=groups),
        *linear("attn.wo_b", (hidden_size, low), Split.COLUMNS, part="attention", heads=groups),
        vector("attn.q_norm", q_rank),
        vector("attn.kv_norm", width),
        Tensor(module="attn.attn_sink", part="attention", shape=(heads,), split=Split.ROWS, heads=heads),
    )
    window = LatentWindow(
        head_dim=width,
        qk_rope_head_dim=config.integer("qk_rope_head_dim"),
        window=config.integer("sliding_window"),
    )
    return tensors, (window,)


def _compressor(config: Config, ratio: int) -> tuple[Tensors, tuple[Cache, ...]]:
    """What makes one latent of ``ratio`` tokens, and what chooses among the latents where there are many."""
    overlap = 2 if ratio == INDEXED_RATIO else 1
    width = config.integer("head_dim")
    latent = CompressedAttention(
        head_dim=width, qk_rope_head_dim=config.integer("qk_rope_head_dim"), compress_ratio=ratio
    )
    state = CompressorState(width=overlap * width, lookback=overlap * ratio)
    tensors = _pooling(config, "attn.compressor", width, overlap, ratio)
    if ratio != INDEXED_RATIO:
        return tensors, (latent, state)
    index_width, index_heads = config.integer("index_head_dim"), config.integer("index_n_heads")
    query = (index_heads * index_width, config.integer("q_lora_rank"))
    choosing = (
        *linear("attn.indexer.wq_b", query, Split.WHOLE, part="attention"),
        Tensor(
            module="attn.indexer.weights_proj", part="attention", shape=(index_heads, config.integer("hidden_size"))
        ),
        *_pooling(config, "attn.indexer.compressor", index_width, overlap, ratio),
    )
    keys = CompressedIndexKeys(index_head_dim=index_width, compress_ratio=ratio)
    index_state = CompressorState(width=overlap * index_width, lookback=overlap * ratio)
    return tensors + choosing, (latent, state, keys, index_state)


def _pooling(config: Config, module: str, width: int, overlap: int, ratio: int) -> Tensors:
    """Values, weights and position biases of a weighted mean over tokens, which no format quantizes."""
    shape = (overlap * width, config.integer("hidden_size"))
    return (
        Tensor(module=f"{module}.wkv", part="attention", shape=shape),
        Tensor(module=f"{module}.wgate", part="attention", shape=shape),
        Tensor(module=f"{module}.ape", part="attention", shape=(ratio, overlap * width)),
        vector(f"{module}.norm", width),
    )


def _routed(config: Config, *, is_hashed: bool) -> Tensors:
    """Routed and shared experts; the first layers route by a table of the vocabulary."""
    width = config.integer("moe_intermediate_size")
    shared = config.count("num_shared_experts") * width
    routed = experts(config, width, routing_bias=not is_hashed, module="ffn")
    if is_hashed:
        table = (config.integer("vocab_size"), config.integer("num_experts_per_tok"))
        routed += (Tensor(module="ffn.gate.tid2eid", part="router", shape=table),)
    return routed + gated_mlp(config, shared, module="ffn.shared_experts") if shared else routed


def _hyper_connection(config: Config, module: str) -> Tensors:
    """What mixes ``hc_mult`` residual streams into a block and back: weights in, out, and among them."""
    streams = config.integer("hc_mult")
    weights = streams * (2 + streams)
    return (
        Tensor(module=f"{module}_fn", part="norm", shape=(weights, streams * config.integer("hidden_size"))),
        vector(f"{module}_base", weights),
        vector(f"{module}_scale", 3),
    )


def _hyper_head(config: Config, module: str) -> Tensors:
    """What mixes the residual streams into one at the end."""
    streams = config.integer("hc_mult")
    return (
        Tensor(module=f"{module}_fn", part="norm", shape=(streams, streams * config.integer("hidden_size"))),
        vector(f"{module}_base", streams),
        vector(f"{module}_scale", 1),
    )


def _around(config: Config) -> Tensors:
    """What a layer that predicts further ahead has beside; embedding and output matrix are the model's."""
    hidden_size = config.integer("hidden_size")
    return (
        *norms(hidden_size, ["enorm", "hnorm", "norm"]),
        Tensor(module="e_proj", part="mlp", shape=(hidden_size, hidden_size), is_quantizable=True),
        Tensor(module="h_proj", part="mlp", shape=(hidden_size, hidden_size), is_quantizable=True),
        *_hyper_head(config, "hc_head"),
    )
