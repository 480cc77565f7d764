"""Gemma 4: heads of two widths, layers that share the keys and values of others, towers for images and sound.

Sources: transformers, modeling_gemma4.py and modeling_gemma4_unified.py; vLLM, gemma4.py.
"""

from dataclasses import replace

from ..config import Config
from ..model import Layer, Model, Split, Tensor
from .blocks import Tensors, decoder, experts, gated_mlp, linear, norms, projections, refuse_uneven_groups, vector
from .registry import family
from .towers import layer_norm, patch_size_of, whole
from .vision import NESTED_INSIDE, text_part
from .windowed import LayerType, cache_of, layer_types

NORMS = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
NORMS_OF_EXPERTS = ("post_feedforward_layernorm_1", "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2")


@family("Gemma4ForConditionalGeneration")
def gemma4(config: Config) -> Model:
    """Gemma 4: encoders of images and, where the config describes one, of sound; whole on every rank."""
    decoding = _decoding(text_part(config), keys_are_values=False)
    towers = _vision_tower(config.part("vision_config"), decoding.hidden_size)
    audio = config.section("audio_config")
    if audio is not None:
        towers += _audio_tower(audio, decoding.hidden_size)
    return replace(decoding, towers=towers, layers_module=NESTED_INSIDE)


@family("Gemma4UnifiedForConditionalGeneration")
def gemma4_unified(config: Config) -> Model:
    """Gemma 4 12B: patches and frames are projected without an encoder."""
    decoding = _decoding(text_part(config), keys_are_values=True)
    vision, audio = config.part("vision_config"), config.part("audio_config")
    hidden_size, width = decoding.hidden_size, vision.integer("mm_embed_dim")
    patch = patch_size_of(vision) * vision.integer("pooling_kernel_size") ** 2
    towers = (
        whole("embed_vision.pos_embedding", vision.integer("mm_posemb_size"), 2 * width),
        *layer_norm("embed_vision.patch_ln1", patch),
        whole("embed_vision.patch_dense", width, patch),
        whole("embed_vision.patch_dense.bias", width),
        *layer_norm("embed_vision.patch_ln2", width),
        *layer_norm("embed_vision.pos_norm", width),
        whole("embed_vision.embedding_projection", hidden_size, vision.integer("output_proj_dims")),
        whole("embed_audio.embedding_projection", hidden_size, audio.integer("audio_embed_dim"), part="audio"),
    )
    return replace(decoding, towers=towers, layers_module=NESTED_INSIDE)


def _decoding(text: Config, *, keys_are_values: bool) -> Model:
    """The decoder; ``keys_are_values`` is what the class means when ``attention_k_eq_v`` is absent."""
    types = layer_types(text)
    first_sharing = len(types) - text.count("num_kv_shared_layers")
    if first_sharing <= 0:
        raise text.unreadable("num_kv_shared_layers", f"as many as the {len(types)} layers")
    keys_are_values = text.flag("attention_k_eq_v", default=keys_are_values)
    keys = [(kind, index >= first_sharing) for index, kind in enumerate(types)]
    layers = {key: _layer(text, *key, keys_are_values=keys_are_values) for key in dict.fromkeys(keys)}
    passed = text.integer("intermediate_size") * (2 if text.flag("use_double_wide_mlp", default=False) else 1)
    if text.flag("enable_moe_block", default=False):
        passed += text.integer("num_experts_per_tok") * text.integer("moe_intermediate_size")
    decoding = decoder(
        text, "gemma4", [layers[key] for key in keys], tie_word_embeddings=True, intermediate_size=passed
    )
    return replace(decoding, embedding=(*decoding.embedding, *_embeddings_of_layers(text)))


def _layer(text: Config, kind: LayerType, shares: bool, *, keys_are_values: bool) -> Layer:  # noqa: FBT001 - a key
    """One layer; one that ``shares`` has queries alone and attends to what a layer before it keeps."""
    hidden_size, is_full = text.integer("hidden_size"), kind == "full_attention"
    heads, kv_heads = text.integer("num_attention_heads"), text.integer("num_key_value_heads")
    width = text.integer("global_head_dim" if is_full else "head_dim")
    keys_are_values = keys_are_values and is_full
    if keys_are_values:
        kv_heads = text.integer("num_global_key_value_heads", default=kv_heads)
    refuse_uneven_groups(text, "num_key_value_heads", heads, kv_heads)
    bias = text.flag("attention_bias", default=False)
    tensors = projections(
        hidden_size,
        heads,
        kv_heads,
        width,
        has_values=not keys_are_values,
        qkv_bias=bias,
        output_bias=bias,
        qk_norm="shared",
    )
    if shares:
        own = ("self_attn.q_proj", "self_attn.q_norm", "self_attn.o_proj")
        tensors = tuple(tensor for tensor in tensors if tensor.module.removesuffix(".bias") in own)
    doubled = shares and text.flag("use_double_wide_mlp", default=False)
    tensors += gated_mlp(text, text.integer("intermediate_size") * (2 if doubled else 1))
    tensors += norms(hidden_size, NORMS)
    if text.flag("enable_moe_block", default=False):
        tensors += _experts(text)
    narrow = text.count("hidden_size_per_layer_input")
    if narrow:
        tensors += (
            *linear("per_layer_input_gate", (narrow, hidden_size), Split.WHOLE, part="mlp"),
            *linear("per_layer_projection", (hidden_size, narrow), Split.WHOLE, part="mlp"),
            vector("post_per_layer_input_norm", hidden_size),
        )
    caches = () if shares else (cache_of(text, kind, kv_heads=kv_heads, width=width),)
    return Layer(tensors=tensors, caches=caches)


def _experts(text: Config) -> Tensors:
    """Routed experts beside the feed-forward, and the router's scales."""
    hidden_size = text.integer("hidden_size")
    return (
        *experts(text, text.integer("moe_intermediate_size"), module="moe"),
        vector("router.scale", hidden_size, part="router"),
        vector("router.per_expert_scale", text.integer("num_experts"), part="router"),
        *norms(hidden_size, NORMS_OF_EXPERTS),
    )


def _embeddings_of_layers(text: Config) -> Tensors:
    """An embedding of each token for each layer."""
    narrow = text.count("hidden_size_per_layer_input")
    if not narrow:
        return ()
    every = narrow * text.integer("num_hidden_layers")
    return (
        Tensor(
            module="model.embed_tokens_per_layer",
            part="embedding",
            shape=(text.integer("vocab_size_per_layer_input"), every),
            split=Split.VOCABULARY,
            is_table=True,
        ),
        Tensor(module="model.per_layer_model_projection", part="embedding", shape=(every, text.integer("hidden_size"))),
        vector("model.per_layer_projection_norm", narrow),
    )


def _vision_tower(vision: Config, projected: int) -> Tensors:
    """Positions on two axes, gated feed-forwards, norms before and after each block, no biases."""
    hidden_size, width = vision.integer("hidden_size"), vision.integer("head_dim")
    heads, kv_heads = vision.integer("num_attention_heads"), vision.integer("num_key_value_heads")
    bias = vision.flag("attention_bias", default=False)
    of_each = (
        *projections(hidden_size, heads, kv_heads, width, qkv_bias=bias, output_bias=bias, qk_norm="shared"),
        *gated_mlp(vision, vision.integer("intermediate_size")),
        *norms(hidden_size, NORMS),
    )
    return (
        whole("vision_tower.patch_embedder.input_proj", hidden_size, patch_size_of(vision)),
        whole(
            "vision_tower.patch_embedder.position_embedding_table",
            2,
            vision.integer("position_embedding_size") * hidden_size,
        ),
        *(
            whole(
                f"vision_tower.encoder.layers.{tensor.module}", *tensor.shape, count=vision.integer("num_hidden_layers")
            )
            for tensor in of_each
        ),
        whole("embed_vision.embedding_projection", projected, hidden_size),
    )


AUDIO_DEFAULTS = {
    "hidden_size": 1024,
    "num_hidden_layers": 12,
    "num_attention_heads": 8,
    "subsampling_conv_channels": [128, 32],
    "conv_kernel_size": 5,
    "output_proj_dims": 1536,
}
"""What an audio_config may leave to its class.  Source: transformers, Gemma4AudioConfig."""
KERNEL = 3 * 3
"""Of the convolutions that shorten the spectrogram.  Source: transformers, Gemma4AudioSubSampleConvProjectionLayer."""


def _audio_tower(audio: Config, projected: int) -> Tensors:
    """A conformer: convolutions that shorten the spectrogram, then attention between two half feed-forwards."""
    audio = audio.with_defaults(AUDIO_DEFAULTS)
    hidden_size, heads = audio.integer("hidden_size"), audio.integer("num_attention_heads")
    channels = audio.integers("subsampling_conv_channels")
    if len(channels) != 2 or min(channels) < 1:  # noqa: PLR2004 - two convolutions
        raise audio.unreadable("subsampling_conv_channels", "not two positive numbers")
    first, second = channels
    square = (hidden_size, hidden_size)
    of_each: dict[str, tuple[int, ...]] = {
        **{
            f"feed_forward{half}.ffw_layer_{place}": shape
            for half in (1, 2)
            for place, shape in ((1, (4 * hidden_size, hidden_size)), (2, (hidden_size, 4 * hidden_size)))
        },
        **{f"feed_forward{half}.{place}_layer_norm": (hidden_size,) for half in (1, 2) for place in ("pre", "post")},
        **{f"self_attn.{name}": square for name in ("q_proj", "k_proj", "v_proj", "post", "relative_k_proj")},
        "self_attn.per_dim_scale": (hidden_size // heads,),
        "lconv1d.linear_start": (2 * hidden_size, hidden_size),
        "lconv1d.linear_end": square,
        "lconv1d.depthwise_conv1d": (hidden_size, audio.integer("conv_kernel_size")),
        **dict.fromkeys(("lconv1d.pre_layer_norm", "lconv1d.conv_norm"), (hidden_size,)),
        **dict.fromkeys(("norm_pre_attn", "norm_post_attn", "norm_out"), (hidden_size,)),
    }
    width = audio.integer("output_proj_dims")
    around: dict[str, tuple[int, ...]] = {
        "audio_tower.subsample_conv_projection.layer0.conv": (first, KERNEL),
        "audio_tower.subsample_conv_projection.layer0.norm": (first,),
        "audio_tower.subsample_conv_projection.layer1.conv": (second, first * KERNEL),
        "audio_tower.subsample_conv_projection.layer1.norm": (second,),
        # Two strides of two leave a quarter of the frequencies, as many as the first convolution has channels.
        "audio_tower.subsample_conv_projection.input_proj_linear": (hidden_size, first // 4 * second),
        "audio_tower.output_proj": (width, hidden_size),
        "audio_tower.output_proj.bias": (width,),
        "embed_audio.embedding_projection": (projected, width),
    }
    layers = audio.integer("num_hidden_layers")
    return (
        *(whole(module, *shape, part="audio") for module, shape in around.items()),
        *(
            whole(f"audio_tower.layers.{module}", *shape, part="audio", count=layers)
            for module, shape in of_each.items()
        ),
    )
