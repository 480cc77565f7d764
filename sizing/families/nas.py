"""Decoders that an architecture search left with different blocks in every layer."""

from ..attention import Cache, FullAttention
from ..config import Config
from ..model import Layer, Model, Split
from .blocks import Tensors, decoder, gated_mlp, head_dim, linear, norms, projections
from .registry import family

WIDTH_MULTIPLE = 256
"""What feed-forward widths are rounded up to."""

NOT_COVERED = ("num_sink_tokens", "window_length", "sparsify")
"""Fields of a block that would change what it keeps; published models leave them null."""


def _attention(config: Config, block: Config) -> tuple[Tensors, tuple[Cache, ...]]:
    """Attention of one layer: whole, one matrix, or none."""
    if block.flag("no_op", default=False):
        return (), ()
    hidden_size, heads = config.integer("hidden_size"), config.integer("num_attention_heads")
    norm = norms(hidden_size, ["input_layernorm"])
    if block.flag("replace_with_linear", default=False):
        square = (hidden_size, hidden_size)
        return (*linear("self_attn.linear_attn", square, Split.ROWS, part="attention"), *norm), ()
    for name in NOT_COVERED:
        if block.has(name):
            raise block.unreadable(name, "attention to part of the tokens is not covered", "only null is covered")
    group, width = block.integer("n_heads_in_group"), head_dim(config)
    if heads % group:
        raise block.unreadable("n_heads_in_group", f"{group} does not divide {heads} attention heads")
    bias = config.flag("attention_bias", default=False)
    tensors = projections(hidden_size, heads, heads // group, width, qkv_bias=bias, output_bias=bias)
    return (*tensors, *norm), (FullAttention(num_key_value_heads=heads // group, head_dim=width),)


def _width(config: Config, block: Config) -> int:
    """Feed-forward columns of one layer; 0 where it has no gated feed-forward.

    Source: modeling_decilm.py of the checkpoints; vLLM, nemotron_nas.py.
    """
    if block.flag("no_op", default=False) or block.flag("replace_with_linear", default=False):
        return 0
    width = int(2 * block.number("ffn_mult") * config.integer("hidden_size") / 3)
    return -(-width // WIDTH_MULTIPLE) * WIDTH_MULTIPLE


def _feed_forward(config: Config, block: Config) -> Tensors:
    """Feed-forward of one layer: whole, one matrix, or none."""
    if block.flag("no_op", default=False):
        return ()
    hidden_size = config.integer("hidden_size")
    norm = norms(hidden_size, ["post_attention_layernorm"])
    if block.flag("replace_with_linear", default=False):
        return (*linear("mlp.linear_mlp", (hidden_size, hidden_size), Split.ROWS, part="mlp"), *norm)
    if block.has("sparsify"):
        raise block.unreadable("sparsify", "sparse feed-forwards are not covered", "only null is covered")
    bias = config.flag("mlp_bias", default=False)
    return (*gated_mlp(config, _width(config, block), bias=bias), *norm)


def _layer(config: Config, block: Config) -> tuple[Layer, int]:
    """The layer of one block, and the width of its feed-forward."""
    attending, caches = _attention(config, block.part("attention"))
    feed_forward = block.part("ffn")
    tensors = (*attending, *_feed_forward(config, feed_forward))
    return Layer(tensors=tensors, caches=caches), _width(config, feed_forward)


@family("DeciLMForCausalLM")
def nemotron_nas(config: Config) -> Model:
    """Llama-Nemotron Super and Ultra: Llama's blocks, each layer with its own heads and width, or without."""
    blocks = config.sections("block_configs")
    count = config.integer("num_hidden_layers")
    if len(blocks) != count:
        raise config.unreadable("block_configs", f"{len(blocks)} blocks for {count} layers")
    read: dict[str, tuple[Layer, int]] = {}
    for block in blocks:
        if block.spelling not in read:
            read[block.spelling] = _layer(config, block)
    layers = [read[block.spelling][0] for block in blocks]
    return decoder(config, "nemotron_nas", layers, intermediate_size=max(1, *(width for _, width in read.values())))
