"""Decoders whose linear attention follows the delta rule, with full attention every few layers."""

from dataclasses import replace

from ..attention import FullAttention, LinearAttention
from ..config import Config
from ..model import NO_LAYER, Layer, Model, Split, Tensor, together
from .blocks import (
    Tensors,
    decoder,
    experts,
    gated_mlp,
    head_dim,
    key_value_heads,
    linear,
    norms,
    projections,
    vector,
)
from .latent import latent_attention
from .recurrent import Block, by_heads, routed, state_bits, types_of_layers
from .registry import family
from .towers import patch_size_of, whole
from .vision import qwen3_vl_tower, text_part


def _delta_net(config: Config, *, packed: bool) -> Block:
    """Linear attention by the gated delta rule, projections packed in two matrices or apart in four.

    Gates stay in 16 bit: 48 rows are less than a block of 128, and Qwen's own FP8 checkpoints list them among
    modules_to_not_convert.

    Source: transformers, Qwen3NextGatedDeltaNet and Qwen3_5GatedDeltaNet; the model card of
    gsting/Qwen3.6-35B-A3B-abliterated-FP8, which repeats the list of Qwen/Qwen3.6-35B-A3B-FP8.
    """
    hidden_size, kernel = config.integer("hidden_size"), config.integer("conv_kernel")
    key_heads, value_heads = config.integer("linear_num_key_heads"), config.integer("linear_num_value_heads")
    key_dim, value_dim = config.integer("linear_key_head_dim"), config.integer("linear_value_head_dim")
    if value_heads % key_heads:
        raise config.unreadable("linear_num_key_heads", f"{key_heads} does not divide {value_heads} value heads")
    keys, values = key_heads * key_dim, value_heads * value_dim
    rows, gates = (
        ({"in_proj_qkvz": 2 * keys + 2 * values}, {"in_proj_ba": 2 * value_heads})
        if packed
        else (
            {"in_proj_qkv": 2 * keys + values, "in_proj_z": values},
            {"in_proj_b": value_heads, "in_proj_a": value_heads},
        )
    )
    tensors = (
        *(
            tensor
            for name, size in rows.items()
            for tensor in linear(
                f"linear_attn.{name}", (size, hidden_size), Split.ROWS, part="attention", heads=key_heads
            )
        ),
        *(by_heads(f"linear_attn.{name}", (size, hidden_size), key_heads) for name, size in gates.items()),
        *linear("linear_attn.out_proj", (hidden_size, values), Split.COLUMNS, part="attention", heads=value_heads),
        by_heads("linear_attn.conv1d", (2 * keys + values, kernel), key_heads),
        by_heads("linear_attn.dt_bias", (value_heads,), value_heads),
        by_heads("linear_attn.A_log", (value_heads,), value_heads),
        vector("linear_attn.norm", value_dim),
    )
    cache = LinearAttention(
        num_key_heads=key_heads,
        num_value_heads=value_heads,
        key_head_dim=key_dim,
        value_head_dim=value_dim,
        conv_kernel=kernel,
        recurrent_bits=state_bits(config),
    )
    return tensors, (cache,)


def _gated_attention(config: Config) -> Block:
    """Qwen3's attention with a gate of its output beside the queries."""
    bias = config.flag("attention_bias", default=False)
    kv_heads, width = key_value_heads(config), head_dim(config)
    tensors = projections(
        config.integer("hidden_size"),
        config.integer("num_attention_heads"),
        kv_heads,
        width,
        qkv_bias=bias,
        output_bias=bias,
        output_gate=config.flag("attn_output_gate", default=True),
        qk_norm="shared",
    )
    return tensors, (FullAttention(num_key_value_heads=kv_heads, head_dim=width),)


def _delta_layers(config: Config, feed_forward: Tensors, *, packed: bool) -> tuple[list[Layer], Layer]:
    """Gated delta nets with full attention every few layers, and a layer of full attention by itself."""
    around = norms(config.integer("hidden_size"), ["input_layernorm", "post_attention_layernorm"])

    def layer(block: Block) -> Layer:
        return Layer(tensors=(*block[0], *feed_forward, *around), caches=block[1])

    linear_layer, full_layer = layer(_delta_net(config, packed=packed)), layer(_gated_attention(config))
    if config.has("layer_types"):
        types = types_of_layers(config, ("linear_attention", "full_attention"))
        attends = [name == "full_attention" for name in types]
    else:
        interval = config.integer("full_attention_interval")
        attends = [(place + 1) % interval == 0 for place in range(config.integer("num_hidden_layers"))]
    return [full_layer if full else linear_layer for full in attends], full_layer


def _qwen_experts(config: Config) -> Tensors:
    """Routed experts beside one gated shared expert.

    Raises: ModelUnreadableError when some layers have a feed-forward of their own.
    """
    if config.integers("mlp_only_layers"):
        raise config.unreadable("mlp_only_layers", "layers without experts are not covered")
    shared = config.integer("shared_expert_intermediate_size")
    return (
        *experts(config, config.integer("moe_intermediate_size")),
        *gated_mlp(config, shared, module="mlp.shared_expert"),
        Tensor(module="mlp.shared_expert_gate", part="router", shape=(1, config.integer("hidden_size"))),
    )


def _qwen_active_width(config: Config) -> int:
    """Feed-forward columns one token passes through in a layer with experts."""
    chosen = config.integer("num_experts_per_tok") * config.integer("moe_intermediate_size")
    return chosen + config.integer("shared_expert_intermediate_size")


def _qwen_ahead(config: Config, full_layer: Layer, count: int) -> Layer:
    """``count`` layers of full attention that predict further ahead, embedding and output matrix being the model's.

    Source: vLLM, Qwen3NextMultiTokenPredictor and Qwen3_5MultiTokenPredictor.
    """
    if not count:
        return NO_LAYER
    hidden_size = config.integer("hidden_size")
    around = (
        *norms(hidden_size, ["mtp.norm", "mtp.pre_fc_norm_embedding", "mtp.pre_fc_norm_hidden"]),
        Tensor(module="mtp.fc", part="mlp", shape=(hidden_size, 2 * hidden_size)),
    )
    return together([full_layer] * count, around)


@family("Qwen3NextForCausalLM")
def qwen3_next(config: Config) -> Model:
    """Qwen3-Next: three gated delta nets to one full attention, experts everywhere."""
    layers, full_layer = _delta_layers(config, _qwen_experts(config), packed=True)
    # Its checkpoints carry one such layer and their config does not say so.
    ahead = config.count("num_nextn_predict_layers") if config.has("num_nextn_predict_layers") else 1
    return decoder(
        config,
        "qwen3_next",
        layers,
        intermediate_size=_qwen_active_width(config),
        multi_token_prediction=_qwen_ahead(config, full_layer, ahead),
        ahead_module="mtp.layers",
    )


@family("Qwen3_5ForConditionalGeneration", "Qwen3_5MoeForConditionalGeneration")
def qwen3_5(config: Config) -> Model:
    """Qwen3.5 and 3.6: Qwen3-Next's layers, with experts or one feed-forward, behind Qwen3-VL's encoder."""
    text = text_part(config)
    if text.flag("mtp_use_dedicated_embeddings", default=False):
        raise text.unreadable("mtp_use_dedicated_embeddings", "not covered", "only false is covered")
    is_sparse = text.has("num_experts")
    feed_forward = _qwen_experts(text) if is_sparse else gated_mlp(text, text.integer("intermediate_size"))
    layers, full_layer = _delta_layers(text, feed_forward, packed=False)
    decoding = decoder(
        text,
        "qwen3_5_moe" if is_sparse else "qwen3_5",
        layers,
        intermediate_size=_qwen_active_width(text) if is_sparse else None,
        multi_token_prediction=_qwen_ahead(text, full_layer, text.count("num_nextn_predict_layers")),
        ahead_module="mtp.layers",
        layers_module="model.language_model.layers",
    )
    return replace(decoding, towers=qwen3_vl_tower(config.part("vision_config")))


def _kimi_delta_attention(config: Config, hidden_size: int) -> Block:
    """Kimi delta attention: the delta rule with a decay for each key channel; decay and gate through low ranks.

    Source: Kimi Linear paper, section 4; vLLM, KimiDeltaAttention and kda_state_dtype.
    """
    heads, width = config.integer("num_heads"), config.integer("head_dim")
    kernel, size = config.integer("short_conv_kernel_size"), heads * width

    def matrix(name: str, rows: int, columns: int, split: Split) -> Tensors:
        divided = 0 if split is Split.WHOLE else heads
        return linear(f"self_attn.{name}", (rows, columns), split, part="attention", heads=divided)

    if config.flag("use_full_rank_gate", default=False):
        gate = matrix("g_proj", size, hidden_size, Split.ROWS)
    else:
        gate = (*matrix("g_a_proj", width, hidden_size, Split.WHOLE), *matrix("g_b_proj", size, width, Split.ROWS))
    tensors = (
        *(tensor for name in "qkv" for tensor in matrix(f"{name}_proj", size, hidden_size, Split.ROWS)),
        *(by_heads(f"self_attn.{name}_conv1d", (size, kernel), heads) for name in "qkv"),
        *matrix("f_a_proj", width, hidden_size, Split.WHOLE),
        *matrix("f_b_proj", size, width, Split.ROWS),
        *matrix("b_proj", heads, hidden_size, Split.ROWS),
        *gate,
        by_heads("self_attn.dt_bias", (size,), heads),
        by_heads("self_attn.A_log", (heads,), heads),
        vector("self_attn.o_norm", width),
        *matrix("o_proj", hidden_size, size, Split.COLUMNS),
    )
    cache = LinearAttention(
        num_key_heads=heads,
        num_value_heads=heads,
        key_head_dim=width,
        value_head_dim=width,
        conv_kernel=kernel,
        recurrent_bits=32,
    )
    return tensors, (cache,)


def _kimi_experts(config: Config) -> Tensors:
    """Routed experts in a latent space, and shared experts outside it."""
    hidden_size, count = config.integer("hidden_size"), config.integer("num_experts")
    width, latent = config.integer("moe_intermediate_size"), config.integer("routed_expert_hidden_size")
    module, up = "block_sparse_moe", (width, latent)
    return (
        Tensor(module=f"{module}.gate", part="router", shape=(count, hidden_size)),
        vector(f"{module}.gate.e_score_correction_bias", count, part="router"),
        *routed(module, count, {"w1": up, "w3": up, "w2": up[::-1]}),
        # Every rank brings whole tokens into the latent space; quantized checkpoints leave that in 16 bit.
        Tensor(module=f"{module}.routed_expert_down_proj", part="mlp", shape=(latent, hidden_size)),
        Tensor(module=f"{module}.routed_expert_up_proj", part="mlp", shape=(hidden_size, latent)),
        *(norms(latent, [f"{module}.routed_expert_norm"]) if config.flag("latent_moe_use_norm", default=False) else ()),
        *gated_mlp(config, config.integer("num_shared_experts") * width, module=f"{module}.shared_experts"),
    )


def _kimi_residuals(hidden_size: int, *modules: str) -> Tensors:
    """For each of ``modules``, what weighs the outputs of earlier blocks of layers: a norm and a row."""
    return tuple(
        tensor
        for module in modules
        for tensor in (
            vector(f"{module}_norm", hidden_size),
            Tensor(module=f"{module}_proj", part="mlp", shape=(1, hidden_size)),
        )
    )


def _kimi_attends(config: Config, linear_attention: Config) -> list[bool]:
    """Whether each layer has full attention; the config counts layers from 1.

    Raises: ModelUnreadableError when some layer is in both lists or in neither.
    """
    count = config.integer("num_hidden_layers")
    full, recurring = linear_attention.integers("full_attn_layers"), linear_attention.integers("kda_layers")
    if sorted((*full, *recurring)) != list(range(1, count + 1)):
        raise linear_attention.unreadable("full_attn_layers", f"with kda_layers not each of {count} layers once")
    attending = set(full)
    return [place in attending for place in range(1, count + 1)]


@family("KimiK3ForConditionalGeneration")
def kimi_k3(config: Config) -> Model:
    """Kimi K3: three Kimi delta attentions to one gated latent attention, experts in a latent space."""
    text = text_part(config)
    if text.count("num_nextn_predict_layers"):
        raise text.unreadable("num_nextn_predict_layers", "such layers are not covered", "only 0 is covered")
    hidden_size, heads = text.integer("hidden_size"), text.integer("num_attention_heads")
    linear_attention = text.part("linear_attn_config")
    attending, latent = latent_attention(text)
    if text.flag("mla_use_output_gate", default=False):
        gate = (heads * text.integer("v_head_dim"), hidden_size)
        attending += linear("self_attn.g_proj", gate, Split.ROWS, part="attention", heads=heads)
    mixers: dict[bool, Block] = {
        True: (attending, latent),
        False: _kimi_delta_attention(linear_attention, hidden_size),
    }
    feed_forwards = {True: _kimi_experts(text), False: gated_mlp(text, text.integer("intermediate_size"))}
    around = norms(hidden_size, ["input_layernorm", "post_attention_layernorm"])
    has_residuals = text.has("attn_res_block_size")
    if has_residuals:
        around += _kimi_residuals(hidden_size, "self_attention_res", "mlp_res")
    kinds = {
        (attends, routes): Layer(tensors=(*mixer[0], *feed_forward, *around), caches=mixer[1])
        for attends, mixer in mixers.items()
        for routes, feed_forward in feed_forwards.items()
    }
    first = text.count("first_k_dense_replace")
    width = text.integer("moe_intermediate_size")
    chosen = text.integer("num_experts_per_tok") + text.integer("num_shared_experts")
    decoding = decoder(
        text,
        "kimi_k3",
        [kinds[attends, place >= first] for place, attends in enumerate(_kimi_attends(text, linear_attention))],
        intermediate_size=max(chosen * width, text.integer("intermediate_size") if first else 0),
        layers_module="language_model.model.layers",
    )
    return replace(
        decoding,
        output=decoding.output + (_kimi_residuals(hidden_size, "output_attn_res") if has_residuals else ()),
        towers=_moonvit3d(config.part("vision_config"), hidden_size),
    )


def _moonvit3d(vision: Config, text_hidden_size: int) -> Tensors:
    """Kimi K3's encoder, whole on every rank: its 12 heads do not divide between the ranks that serve it.

    Raises: ModelUnreadableError.  Source: vLLM and SGLang, kimi_k3; tensors of the checkpoint.
    """
    for name, covered in (("norm_type", "rmsnorm"), ("mlp_type", "mlp2"), ("mm_projector_type", "patchmergerv2")):
        if vision.text(name, default=covered) != covered:
            raise vision.unreadable(name, f"only {covered} is covered")
    for name in ("attn_bias", "linear_bias", "patch_embed_proj_bias"):
        if vision.flag(name, default=False):
            raise vision.unreadable(name, "biases are not covered")
    hidden_size, width = vision.integer("vt_hidden_size"), vision.integer("vt_intermediate_size")
    attending = vision.integer("qkv_hidden_size")
    grid = vision.integer("init_pos_emb_height") * vision.integer("init_pos_emb_width")
    merged = vision.integer("mm_hidden_size")
    for size in vision.integers("merge_kernel_size"):
        if size < 1:
            raise vision.unreadable("merge_kernel_size", f"{size} is not a positive number")
        merged *= size
    blocks = (
        whole("vision_tower.encoder.blocks.wqkv", 3 * attending, hidden_size),
        whole("vision_tower.encoder.blocks.wo", hidden_size, attending),
        whole("vision_tower.encoder.blocks.mlp.fc0", width, hidden_size),
        whole("vision_tower.encoder.blocks.mlp.fc1", hidden_size, width),
        whole("vision_tower.encoder.blocks.norm0", hidden_size),
        whole("vision_tower.encoder.blocks.norm1", hidden_size),
    )
    return (
        whole("vision_tower.patch_embed.proj", hidden_size, patch_size_of(vision)),
        whole("vision_tower.patch_embed.pos_emb", grid, hidden_size),
        *(replace(tensor, count=vision.integer("vt_num_hidden_layers")) for tensor in blocks),
        whole("vision_tower.encoder.final_layernorm", hidden_size),
        whole("mm_projector.proj.0", merged, merged),
        whole("mm_projector.proj.2", text_hidden_size, merged),
        whole("mm_projector.post_norm", text_hidden_size),
    )
