"""Decoders with Mamba layers, alone or among attention and experts."""

from dataclasses import replace

from ..attention import Cache, FullAttention, Mamba, Mamba2
from ..config import LARGEST, Config
from ..model import NO_LAYER, Layer, Model, Split, Tensor, together
from .blocks import (
    Tensors,
    attention,
    decoder,
    experts,
    gated_mlp,
    head_dim,
    key_value_heads,
    linear,
    norms,
    plain_mlp,
    projections,
    vector,
)
from .recurrent import Block, by_heads, routed, state_bits, types_of_layers
from .registry import family


def _mamba2(
    config: Config, module: str, *, norm: bool, default_state: str = "", output_bias: bool | None = None
) -> Block:
    """Mamba 2: one matrix in for gates, inputs, the groups' B and C, and time steps; one matrix out.

    Source: Mamba 2 paper, section 7; vLLM, MambaMixer2.
    """
    hidden_size, kernel = config.integer("hidden_size"), config.integer("conv_kernel")
    heads, width = config.integer("mamba_num_heads"), config.integer("mamba_head_dim")
    groups, state = config.integer("mamba_n_groups"), config.integer("ssm_state_size")
    if heads % groups:
        raise config.unreadable("mamba_n_groups", f"{groups} does not divide {heads} heads")
    bias = config.flag("use_bias", default=False)
    inner, grouped = heads * width, 2 * groups * state

    def of_groups(tensors: Tensors) -> Tensors:
        return tuple(replace(tensor, heads=groups, replicates_heads=True) for tensor in tensors)

    def rows(size: int) -> Tensors:
        return linear(f"{module}.in_proj", (size, hidden_size), Split.ROWS, part="attention", bias=bias, heads=heads)

    convolutions: tuple[tuple[str, tuple[int, ...]], ...] = ((f"{module}.conv1d", (kernel,)),)
    if config.flag("mamba_conv_bias", default=True):
        convolutions += ((f"{module}.conv1d.bias", ()),)
    tensors = (
        *rows(2 * inner + heads),
        *of_groups(rows(grouped)),
        *(by_heads(name, (inner, *shape), heads) for name, shape in convolutions),
        *of_groups(tuple(by_heads(name, (grouped, *shape), groups) for name, shape in convolutions)),
        *(by_heads(f"{module}.{name}", (heads,), heads) for name in ("A_log", "D", "dt_bias")),
        *((by_heads(f"{module}.norm", (inner,), heads),) if norm else ()),
        *linear(
            f"{module}.out_proj",
            (hidden_size, inner),
            Split.COLUMNS,
            part="attention",
            bias=bias if output_bias is None else output_bias,
            heads=heads,
        ),
    )
    cache = Mamba2(
        num_heads=heads,
        head_dim=width,
        num_groups=groups,
        state_size=state,
        conv_kernel=kernel,
        recurrent_bits=state_bits(config, default_state),
    )
    return tensors, (cache,)


NEMOTRON_LETTERS = {"mamba": "M", "attention": "*", "mlp": "-", "moe": "E"}
"""Types of Nemotron-H's layers and the letters of its patterns."""


def _nemotron_pattern(config: Config, letters: str, types: str) -> str:
    """The pattern of field ``letters``, or of the list of field ``types``, in letters.

    Raises: ModelUnreadableError.
    """
    field = letters if config.has(letters) else types
    pattern = config.text(letters, default="") or [NEMOTRON_LETTERS.get(name, name) for name in config.strings(types)]
    unknown = sorted(set(pattern) - set(NEMOTRON_LETTERS.values()))
    if unknown:
        raise config.unreadable(field, f"{unknown[0]} is not a type of layer", f"types: {NEMOTRON_LETTERS}")
    if not pattern:
        raise config.unreadable(letters, "this field is needed to size the model")
    if len(pattern) > LARGEST["num_hidden_layers"]:
        raise config.unreadable(field, f"{len(pattern)} layers are more than {LARGEST['num_hidden_layers']}")
    return "".join(pattern)


def _nemotron_experts(config: Config) -> Tensors:
    """Routed experts without gates, in a latent space where there is one, and a shared expert beside them."""
    hidden_size, count = config.integer("hidden_size"), config.integer("num_experts")
    width, latent = config.integer("moe_intermediate_size"), config.count("moe_latent_size")
    bias = config.flag("mlp_bias", default=False)
    outer = latent or hidden_size
    tensors: Tensors = (
        Tensor(module="mixer.gate", part="router", shape=(count, hidden_size)),
        vector("mixer.gate.e_score_correction_bias", count, part="router"),
        *routed("mixer", count, {"up_proj": (width, outer), "down_proj": (outer, width)}),
    )
    if latent:
        # Experts are spread over ranks, so each rank brings whole tokens into the latent space.
        tensors += linear("mixer.fc1_latent_proj", (latent, hidden_size), Split.WHOLE, part="mlp", bias=bias)
        tensors += linear("mixer.fc2_latent_proj", (hidden_size, latent), Split.WHOLE, part="mlp", bias=bias)
    shared = _nemotron_shared(config)
    return tensors + (plain_mlp(config, shared, bias=bias, module="mixer.shared_experts") if shared else ())


def _nemotron_shared(config: Config) -> int:
    """Width of the shared expert; 0 where there is none."""
    shared = config.count("num_shared_experts")
    return shared * config.integer("moe_shared_expert_intermediate_size") if shared else 0


def _nemotron_layer(config: Config, letter: str) -> Layer:
    """One layer of Nemotron-H, which does one thing alone."""
    caches: tuple[Cache, ...] = ()
    match letter:
        case "M":
            # vLLM keeps the state in float32 where the config does not say otherwise.
            tensors, caches = _mamba2(config, "mixer", norm=True, default_state="float32")
        case "*":
            kv_heads, width = key_value_heads(config), head_dim(config)
            bias = config.flag("attention_bias", default=False)
            tensors = projections(
                config.integer("hidden_size"),
                config.integer("num_attention_heads"),
                kv_heads,
                width,
                qkv_bias=bias,
                output_bias=bias,
                module="mixer",
            )
            caches = (FullAttention(num_key_value_heads=kv_heads, head_dim=width),)
        case "-":
            bias = config.flag("mlp_bias", default=False)
            tensors = plain_mlp(config, config.integer("intermediate_size"), bias=bias, module="mixer")
        case _:
            tensors = _nemotron_experts(config)
    return Layer(tensors=(*tensors, *norms(config.integer("hidden_size"), ["norm"])), caches=caches)


def _nemotron_ahead(config: Config) -> Layer:
    """Layers that predict further ahead, embedding and output matrix being the model's.

    Source: vLLM, NemotronHMultiTokenPredictor.
    """
    count = config.count("num_nextn_predict_layers")
    if not count:
        return NO_LAYER
    hidden_size = config.integer("hidden_size")
    pattern = _nemotron_pattern(config, "mtp_hybrid_override_pattern", "mtp_layers_block_type")
    around = (
        *norms(hidden_size, ["enorm", "hnorm", "final_layernorm"]),
        Tensor(module="eh_proj", part="mlp", shape=(hidden_size, 2 * hidden_size)),
    )
    return together([_nemotron_layer(config, letter) for letter in pattern] * count, around * count)


@family("NemotronHForCausalLM")
def nemotron_h(config: Config) -> Model:
    """Nemotron-H, Nemotron Nano 2 and Nemotron 3: each layer a Mamba 2, attention, a feed-forward or experts."""
    pattern = _nemotron_pattern(config, "hybrid_override_pattern", "layers_block_type")
    count = config.integer("num_hidden_layers", default=len(pattern))
    if len(pattern) != count:
        raise config.unreadable("hybrid_override_pattern", f"{len(pattern)} layers, not {count}")
    widths = [1]
    if "-" in pattern:
        widths.append(config.integer("intermediate_size"))
    if "E" in pattern:
        chosen = config.integer("num_experts_per_tok") * config.integer("moe_intermediate_size")
        widths.append(chosen + _nemotron_shared(config))
    kinds = {letter: _nemotron_layer(config, letter) for letter in dict.fromkeys(pattern)}
    return decoder(
        config,
        "nemotron_h",
        [kinds[letter] for letter in pattern],
        intermediate_size=max(widths),
        multi_token_prediction=_nemotron_ahead(config),
        ahead_module="mtp.layers",
        layers_module="backbone.layers",
    )


@family("GraniteMoeHybridForCausalLM")
def granite_moe_hybrid(config: Config) -> Model:
    """Granite 4: mostly Mamba 2, some attention, routed experts beside a shared one in every layer."""
    bias = config.flag("attention_bias", default=False)
    attending, cache = attention(config, qkv_bias=bias, output_bias=bias)
    kinds: dict[str, Block] = {"mamba": _mamba2(config, "mamba", norm=True), "attention": (attending, (cache,))}
    width, shared = config.integer("intermediate_size"), config.integer("shared_intermediate_size")
    choosing = experts(config, width, module="block_sparse_moe") if config.count("num_experts") else ()
    around = (
        *choosing,
        *gated_mlp(config, shared, module="shared_mlp"),
        *norms(config.integer("hidden_size"), ["input_layernorm", "post_attention_layernorm"]),
    )
    built = {name: Layer(tensors=(*block[0], *around), caches=block[1]) for name, block in kinds.items()}
    active = config.integer("num_experts_per_tok") * width if choosing else 0
    return decoder(
        config,
        "granite_moe_hybrid",
        [built[name] for name in types_of_layers(config, tuple(built))],
        intermediate_size=active + shared,
    )


@family("FalconH1ForCausalLM")
def falcon_h1(config: Config) -> Model:
    """Falcon-H1: attention and Mamba 2 side by side in every layer."""
    bias = config.flag("attention_bias", default=False)
    inner = config.integer("mamba_num_heads") * config.integer("mamba_head_dim")
    if config.integer("mamba_d_ssm", default=inner) != inner:
        raise config.unreadable("mamba_d_ssm", f"the heads of Mamba make {inner} channels")
    attending, cache = attention(config, qkv_bias=bias, output_bias=bias)
    recurring, states = _mamba2(
        config,
        "mamba",
        norm=config.flag("mamba_rms_norm", default=False),
        output_bias=config.flag("projectors_bias", default=False),
    )
    layer = Layer(
        tensors=(
            *attending,
            *recurring,
            *gated_mlp(
                config,
                config.integer("intermediate_size"),
                bias=config.flag("mlp_bias", default=False),
                module="feed_forward",
            ),
            *norms(config.integer("hidden_size"), ["input_layernorm", "pre_ff_layernorm"]),
        ),
        caches=(cache, *states),
    )
    return decoder(config, "falcon_h1", [layer] * config.integer("num_hidden_layers"))


def _mamba(config: Config, module: str, inner: int, *, inner_norms: bool) -> Block:
    """Mamba 1 of ``inner`` channels, with norms of time steps, B and C where ``inner_norms``.

    Its matrices stay as they are: vLLM's mixer takes no quantization.
    Source: Mamba paper, section 3.4; vLLM, MambaMixer.
    """
    hidden_size, kernel = config.integer("hidden_size"), config.integer("conv_kernel")
    state, rank = config.integer("ssm_state_size"), config.integer("time_step_rank")
    bias = config.flag("use_bias", default=False)

    def matrix(name: str, shape: tuple[int, ...], split: Split) -> Tensor:
        return Tensor(module=f"{module}.{name}", part="attention", shape=shape, split=split)

    tensors: Tensors = (
        matrix("in_proj", (2 * inner, hidden_size), Split.ROWS),
        matrix("conv1d", (inner, kernel), Split.ROWS),
        matrix("x_proj", (rank + 2 * state, inner), Split.COLUMNS),
        matrix("dt_proj", (inner, rank), Split.ROWS),
        matrix("dt_proj.bias", (inner,), Split.ROWS),
        matrix("A_log", (inner, state), Split.ROWS),
        matrix("D", (inner,), Split.ROWS),
        matrix("out_proj", (hidden_size, inner), Split.COLUMNS),
    )
    if config.flag("mamba_conv_bias", default=True):
        tensors += (matrix("conv1d.bias", (inner,), Split.ROWS),)
    if bias:
        tensors += (
            matrix("in_proj.bias", (2 * inner,), Split.ROWS),
            matrix("out_proj.bias", (hidden_size,), Split.WHOLE),
        )
    if inner_norms:
        tensors += (vector(f"{module}.dt_layernorm", rank),)
        tensors += (vector(f"{module}.b_layernorm", state), vector(f"{module}.c_layernorm", state))
    cache = Mamba(intermediate_size=inner, state_size=state, conv_kernel=kernel, recurrent_bits=state_bits(config))
    return tensors, (cache,)


@family("MambaForCausalLM", "FalconMambaForCausalLM")
def mamba(config: Config) -> Model:
    """Mamba and Falcon-Mamba: recurrence alone, without attention or feed-forward."""
    tensors, caches = _mamba(config, "mixer", config.integer("intermediate_size"), inner_norms=False)
    layer = Layer(tensors=(*tensors, *norms(config.integer("hidden_size"), ["norm"])), caches=caches)
    return decoder(
        config,
        "mamba",
        [layer] * config.integer("num_hidden_layers"),
        tie_word_embeddings=True,
        num_attention_heads=0,
    )


@family("JambaForCausalLM")
def jamba(config: Config) -> Model:
    """Jamba: one attention to several Mamba layers, experts in every other layer."""
    hidden_size, width = config.integer("hidden_size"), config.integer("intermediate_size")
    inner = config.integer("mamba_expand") * hidden_size
    attending, cache = attention(config)
    mixers: dict[bool, Block] = {
        True: (attending, (cache,)),
        False: _mamba(config, "mamba", inner, inner_norms=True),
    }
    feed_forwards = {
        True: experts(config, width, module="feed_forward"),
        False: gated_mlp(config, width, module="feed_forward"),
    }
    around = norms(hidden_size, ["input_layernorm", "pre_ff_layernorm"])
    kinds = {
        (attends, routes): Layer(tensors=(*block[0], *feed_forward, *around), caches=block[1])
        for attends, block in mixers.items()
        for routes, feed_forward in feed_forwards.items()
    }

    def at(place: int, period: str, offset: str) -> bool:
        return place % config.integer(period) == config.count(offset)

    return decoder(
        config,
        "jamba",
        [
            kinds[
                at(place, "attn_layer_period", "attn_layer_offset"),
                at(place, "expert_layer_period", "expert_layer_offset"),
            ]
            for place in range(config.integer("num_hidden_layers"))
        ],
        intermediate_size=config.integer("num_experts_per_tok") * width,
    )
