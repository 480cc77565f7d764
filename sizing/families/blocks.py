"""The blocks decoders are built of: attention, feed-forward, experts, norms, and what surrounds layers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from schemas.errors import UnsupportedArchitectureError

from ..attention import FullAttention, SlidingWindow
from ..config import Config
from ..model import NO_LAYER, Layer, Model, Part, Split, Tensor, together
from ..published import read_published
from .rotary import rotary_tables

Tensors = tuple[Tensor, ...]


def vector(module: str, size: int, part: Part = "norm", split: Split = Split.WHOLE) -> Tensor:
    """A norm's weight, or a bias."""
    return Tensor(module=module, part=part, shape=(size,), split=split)


def norms(size: int, modules: Sequence[str], *, bias: bool = False) -> Tensors:
    """RMSNorm weights of ``size``, or LayerNorm weights and biases."""
    weights = tuple(vector(module, size) for module in modules)
    return weights + tuple(vector(f"{module}.bias", size) for module in modules if bias)


def linear(
    module: str,
    shape: tuple[int, int],
    split: Split,
    *,
    part: Part,
    bias: bool = False,
    heads: int = 0,
    replicates_heads: bool = False,
) -> Tensors:
    """A matrix (out_features, in_features) and, with ``bias``, a vector of out_features."""
    weight = Tensor(
        module=module,
        part=part,
        shape=shape,
        split=split,
        heads=heads,
        replicates_heads=replicates_heads,
        is_quantizable=True,
    )
    if not bias:
        return (weight,)
    divided = Split.ROWS if split is Split.ROWS else Split.WHOLE
    return (
        weight,
        Tensor(
            module=f"{module}.bias",
            part=part,
            shape=shape[:1],
            split=divided,
            heads=heads if divided is Split.ROWS else 0,
            replicates_heads=replicates_heads,
        ),
    )


def head_dim(config: Config) -> int:
    """Width of one head, which is not always hidden_size over heads."""
    if config.has("head_dim"):
        return config.integer("head_dim")
    hidden_size, heads = config.integer("hidden_size"), config.integer("num_attention_heads")
    if hidden_size % heads:
        raise config.unreadable(
            "head_dim", f"absent, and {heads} heads do not divide hidden_size {hidden_size}", "add head_dim"
        )
    return hidden_size // heads


def sliding_window(config: Config) -> int | None:
    """Tokens a layer looks back on; None where that is no less than the context."""
    if not config.flag("use_sliding_window", default=True) or not config.has("sliding_window"):
        return None
    window = config.integer("sliding_window")
    longest = config.count("max_position_embeddings")
    return window if not longest or window < longest else None


def refuse_sliding_window(config: Config) -> None:
    """Refuse a config whose layers forget tokens outside a window, which full attention does not.

    Raises: UnsupportedArchitectureError.
    """
    window = sliding_window(config)
    if window:
        raise UnsupportedArchitectureError(
            f"model.config.sliding_window: attention within a window of {window} tokens is not covered",
            field="model.config.sliding_window",
            hint="only full attention is covered for this architecture",
        )


def key_value_heads(config: Config, default: int | None = None) -> int:
    """Key-value heads, as many as attention heads when absent.

    Raises: ModelUnreadableError when they do not divide the attention heads.
    """
    heads = config.integer("num_attention_heads")
    kv_heads = default or config.integer("num_key_value_heads", default=heads)
    refuse_uneven_groups(config, "num_key_value_heads", heads, kv_heads)
    return kv_heads


def refuse_uneven_groups(config: Config, name: str, heads: int, kv_heads: int) -> None:
    """Refuse attention heads that cannot be grouped by ``kv_heads``, naming field ``name``.

    Raises: ModelUnreadableError.
    """
    if heads < 1 or heads % kv_heads:
        raise config.unreadable(name, f"{kv_heads} key-value heads do not divide {heads} attention heads")


QkNorm = Literal["none", "shared", "per head"]
"""No norm on queries and keys, one weight of head_dim that all heads share, or a weight of its own for each head."""


def projections(
    hidden_size: int,
    heads: int,
    kv_heads: int,
    width: int,
    *,
    value_width: int | None = None,
    has_values: bool = True,
    qkv_bias: bool = False,
    output_bias: bool = False,
    output_gate: bool = False,
    qk_norm: QkNorm = "none",
    module: str = "self_attn",
) -> Tensors:
    """Query, key, value and output matrices of attention with grouped key-value heads of ``width``.

    ``has_values`` is false where the keys serve as values too; with ``output_gate`` the queries' matrix holds as
    many gates of the output.
    """
    value_width = value_width or width
    q, kv = heads * width, kv_heads * width
    grouped = {"k_proj": kv, "v_proj": kv_heads * value_width} if has_values else {"k_proj": kv}
    tensors = (
        *linear(
            f"{module}.q_proj",
            (2 * q if output_gate else q, hidden_size),
            Split.ROWS,
            part="attention",
            bias=qkv_bias,
            heads=heads,
        ),
        *(
            tensor
            for name, rows in grouped.items()
            for tensor in linear(
                f"{module}.{name}",
                (rows, hidden_size),
                Split.ROWS,
                part="attention",
                bias=qkv_bias,
                heads=kv_heads,
                replicates_heads=True,
            )
        ),
        *linear(
            f"{module}.o_proj",
            (hidden_size, heads * value_width),
            Split.COLUMNS,
            part="attention",
            bias=output_bias,
            heads=heads,
        ),
    )
    if qk_norm == "shared":
        tensors += (vector(f"{module}.q_norm", width), vector(f"{module}.k_norm", width))
    elif qk_norm == "per head":
        tensors += (vector(f"{module}.q_norm", q), vector(f"{module}.k_norm", kv))
    return tensors


def attention(
    config: Config,
    *,
    qkv_bias: bool = False,
    output_bias: bool = False,
    qk_norm: QkNorm = "none",
    num_key_value_heads: int | None = None,
    slides: bool = False,
) -> tuple[Tensors, FullAttention | SlidingWindow]:
    """Attention with grouped key-value heads, alike in every layer: its tensors and its cache.

    With ``slides``, a ``sliding_window`` below the context length holds for every layer; else it is refused.
    """
    if not slides:
        refuse_sliding_window(config)
    width, kv_heads = head_dim(config), key_value_heads(config, num_key_value_heads)
    tensors = projections(
        config.integer("hidden_size"),
        config.integer("num_attention_heads"),
        kv_heads,
        width,
        qkv_bias=qkv_bias,
        output_bias=output_bias,
        qk_norm=qk_norm,
    )
    window = sliding_window(config)
    if window:
        return tensors, SlidingWindow(num_key_value_heads=kv_heads, head_dim=width, window=window)
    return tensors, FullAttention(num_key_value_heads=kv_heads, head_dim=width)


def gated_mlp(config: Config, intermediate_size: int, *, bias: bool = False, module: str = "mlp") -> Tensors:
    """A feed-forward of gate, up and down projections."""
    hidden_size = config.integer("hidden_size")
    up = (intermediate_size, hidden_size)
    return (
        *linear(f"{module}.gate_proj", up, Split.ROWS, part="mlp", bias=bias),
        *linear(f"{module}.up_proj", up, Split.ROWS, part="mlp", bias=bias),
        *linear(f"{module}.down_proj", up[::-1], Split.COLUMNS, part="mlp", bias=bias),
    )


def plain_mlp(config: Config, intermediate_size: int, *, bias: bool, module: str = "mlp") -> Tensors:
    """A feed-forward of up and down projections."""
    up = (intermediate_size, config.integer("hidden_size"))
    return (
        *linear(f"{module}.up_proj", up, Split.ROWS, part="mlp", bias=bias),
        *linear(f"{module}.down_proj", up[::-1], Split.COLUMNS, part="mlp", bias=bias),
    )


def experts(
    config: Config,
    intermediate_size: int,
    *,
    routing_bias: bool = False,
    router_bias: bool = False,
    bias: bool = False,
    module: str = "mlp",
) -> Tensors:
    """A router and the gated feed-forwards it chooses from.

    ``routing_bias`` balances the choice, ``router_bias`` is the router's own, ``bias`` that of each expert.
    """
    count, hidden_size = config.integer("num_experts"), config.integer("hidden_size")
    up = (intermediate_size, hidden_size)

    def of_each(name: str, shape: tuple[int, int], split: Split) -> Tensors:
        whole = linear(f"{module}.experts.{name}", shape, split, part="experts", bias=bias)
        return tuple(replace(tensor, count=count) for tensor in whole)

    router: Tensors = (Tensor(module=f"{module}.gate", part="router", shape=(count, hidden_size)),)
    if routing_bias:
        router += (vector(f"{module}.gate.e_score_correction_bias", count, part="router"),)
    if router_bias:
        router += (vector(f"{module}.gate.bias", count, part="router"),)
    return (
        *router,
        *of_each("gate_proj", up, Split.ROWS),
        *of_each("up_proj", up, Split.ROWS),
        *of_each("down_proj", up[::-1], Split.COLUMNS),
    )


def next_token_layers(config: Config, layer: Layer, count: int, *, shares_embedding: bool = False) -> Layer:
    """``count`` layers that predict tokens further ahead, each with its own embedding and output matrix or the model's.

    Source: DeepSeek-V3 technical report, section 2.2; checkpoints of GLM-4.5.
    """
    hidden_size, vocab_size = config.integer("hidden_size"), config.integer("vocab_size")
    around: Tensors = (
        *norms(hidden_size, ["enorm", "hnorm", "shared_head.norm"]),
        Tensor(module="eh_proj", part="mlp", shape=(hidden_size, 2 * hidden_size)),
    )
    if not shares_embedding:
        around += (
            Tensor(module="embed_tokens", part="embedding", shape=(vocab_size, hidden_size), split=Split.VOCABULARY),
            Tensor(module="shared_head.head", part="output", shape=(vocab_size, hidden_size), split=Split.VOCABULARY),
        )
    return together([layer] * count, around * count)


def decoder(
    config: Config,
    family: str,
    layers: Sequence[Layer],
    *,
    tie_word_embeddings: bool = False,
    final_norm_bias: bool = False,
    output_bias: bool = False,
    learned_positions: int = 0,
    intermediate_size: int | None = None,
    num_attention_heads: int | None = None,
    multi_token_prediction: Layer = NO_LAYER,
    ahead_module: str = "",
    towers: Tensors = (),
    layers_module: str = "model.layers",
) -> Model:
    """Embedding, ``layers``, final norm and output matrix.

    ``tie_word_embeddings`` is what the family means when its config does not say.
    """
    hidden_size, vocab_size = config.integer("hidden_size"), config.integer("vocab_size")
    tied = config.flag("tie_word_embeddings", default=tie_word_embeddings)
    embedding: Tensors = (
        Tensor(
            module="model.embed_tokens",
            part="embedding",
            shape=(vocab_size, hidden_size),
            split=Split.VOCABULARY,
            is_table=True,
        ),
    )
    if learned_positions:
        positions = (learned_positions, hidden_size)
        embedding += (Tensor(module="model.embed_positions", part="embedding", shape=positions, is_table=True),)
    output = norms(hidden_size, ["model.norm"], bias=final_norm_bias)
    if not tied:
        output += (Tensor(module="lm_head", part="output", shape=(vocab_size, hidden_size), split=Split.VOCABULARY),)
    if output_bias:
        output += (vector("lm_head.bias", vocab_size, part="output", split=Split.VOCABULARY),)
    heads = config.integer("num_attention_heads") if num_attention_heads is None else num_attention_heads
    published = read_published(config)
    rotated = config.count("qk_rope_head_dim") or (head_dim(config) if heads and not learned_positions else 0)
    return Model(
        family=family,
        # transformers saves float32 without saying so; quantized checkpoints keep the rest in bfloat16.
        dtype=config.text("dtype", default="float32" if published is None else "bfloat16"),
        published=published,
        hidden_size=hidden_size,
        intermediate_size=intermediate_size or config.integer("intermediate_size"),
        vocab_size=vocab_size,
        num_attention_heads=heads,
        num_key_value_heads=max(
            (cache.num_key_value_heads for layer in set(layers) for cache in layer.caches), default=0
        ),
        max_position_embeddings=config.count("max_position_embeddings") or None,
        num_experts=max(map(_num_experts, set(layers))),
        num_experts_per_tok=config.count("num_experts_per_tok"),
        tie_word_embeddings=tied,
        embedding=embedding,
        layers=tuple(layers),
        output=output,
        multi_token_prediction=multi_token_prediction,
        ahead_module=ahead_module,
        towers=towers,
        rotary=rotary_tables(config, rotated),
        layers_module=layers_module,
    )


def _num_experts(layer: Layer) -> int:
    return max((tensor.count for tensor in layer.tensors if tensor.part == "experts"), default=0)
