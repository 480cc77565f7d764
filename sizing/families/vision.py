"""Decoders that see: a tower that encodes images beside the decoder of another family."""

from dataclasses import replace

from ..attention import CrossAttention
from ..config import Config
from ..model import Layer, Model, Split, Tensor
from .blocks import Tensors, gated_mlp, head_dim, key_value_heads, norms, projections, vector
from .dense import llama, mistral, qwen2, qwen3
from .mixture import qwen3_moe
from .registry import family
from .towers import (
    clip,
    divided,
    encoder_layers,
    layer_norm,
    llama4_tower,
    mllama_tower,
    patch_size_of,
    patches_of,
    perceptron,
    pixtral,
    siglip,
    whole,
)
from .windowed import gemma3, llama4_text

OF_THE_WHOLE = ("dtype", "tie_word_embeddings", "quantization_config")
"""Fields that multimodal configs have at the top, in the part about text, or in both."""


def text_part(config: Config) -> Config:
    """The part of a multimodal config about its decoder."""
    return config.part("text_config", inherits=OF_THE_WHOLE)


NESTED, NESTED_INSIDE = "language_model.model.layers", "model.language_model.layers"
"""How checkpoints spell the path of a decoder beside towers."""


def _seeing(decoding: Model, name: str, towers: Tensors, layers_module: str) -> Model:
    return replace(decoding, family=name, towers=towers, layers_module=layers_module)


def _either(config: Config, section: str, covered: tuple[str, ...]) -> str:
    """The model type of a part of the config.

    Raises: ModelUnreadableError when it is none of ``covered``.
    """
    part = config.part(section)
    named = part.text("model_type", default="")
    if named not in covered:
        raise part.unreadable("model_type", f"{named or 'absence'} is not covered", f"covered: {', '.join(covered)}")
    return named


@family("Gemma3ForConditionalGeneration")
def gemma3_vision(config: Config) -> Model:
    """Gemma 3 from 4B: SigLIP, whose patches are pooled and projected by one matrix."""
    vision, decoding = config.part("vision_config"), gemma3(text_part(config))
    hidden_size = vision.integer("hidden_size")
    projector = (
        whole("multi_modal_projector.mm_input_projection_weight", hidden_size, decoding.hidden_size),
        whole("multi_modal_projector.mm_soft_emb_norm", hidden_size),
    )
    return _seeing(decoding, "gemma3", (*siglip(vision), *projector), NESTED)


@family("Llama4ForConditionalGeneration")
def llama4(config: Config) -> Model:
    """Llama 4: its own encoder and a projecting matrix."""
    vision, decoding = config.part("vision_config"), llama4_text(text_part(config))
    projector = divided(
        "multi_modal_projector.linear_1",
        (decoding.hidden_size, vision.integer("vision_output_dim")),
        Split.ROWS,
        bias=False,
    )
    return _seeing(decoding, "llama4", (*llama4_tower(vision), *projector), NESTED)


@family("Mistral3ForConditionalGeneration")
def mistral3(config: Config) -> Model:
    """Mistral Small 3.1, Ministral 3, Devstral Small 2: Pixtral, whose patches are merged and projected."""
    _either(config, "text_config", ("mistral", "ministral3"))
    _either(config, "vision_config", ("pixtral",))
    vision, decoding = config.part("vision_config"), mistral(text_part(config))
    hidden_size, merged = vision.integer("hidden_size"), config.integer("spatial_merge_size") ** 2
    bias = config.flag("multimodal_projector_bias", default=False)
    projector = (
        whole("multi_modal_projector.norm", hidden_size),
        whole("multi_modal_projector.patch_merger.merging_layer", hidden_size, hidden_size * merged),
        *perceptron(
            ("multi_modal_projector.linear_1", "multi_modal_projector.linear_2"),
            (hidden_size, decoding.hidden_size, decoding.hidden_size),
            bias=bias,
        ),
    )
    return _seeing(decoding, "mistral3", (*pixtral(vision), *projector), NESTED_INSIDE)


LLAVA_TEXT_DEFAULTS = {
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
"""What LLaVA 1.5's config leaves to the class of its decoder.  Source: transformers, LlamaConfig."""


@family("LlavaForConditionalGeneration")
def llava(config: Config) -> Model:
    """LLaVA 1.5: CLIP before a Llama."""
    _either(config, "text_config", ("llama",))
    _either(config, "vision_config", ("clip_vision_model",))
    vision, decoding = config.part("vision_config"), llama(text_part(config).with_defaults(LLAVA_TEXT_DEFAULTS))
    projector = perceptron(
        ("multi_modal_projector.linear_1", "multi_modal_projector.linear_2"),
        (vision.integer("hidden_size"), decoding.hidden_size, decoding.hidden_size),
        bias=config.flag("multimodal_projector_bias", default=True),
    )
    return _seeing(decoding, "llava", (*clip(vision), *projector), NESTED)


EMBEDDINGS_OF_IMAGE_TOKENS = 8
"""Rows of the embedding beyond the vocabulary.  Source: transformers, MllamaTextModel."""


@family("MllamaForConditionalGeneration")
def mllama(config: Config) -> Model:
    """Llama 3.2 Vision: layers that attend to the image alone, between those of Llama 3.1."""
    vision, text = config.part("vision_config"), text_part(config)
    hidden_size, heads = text.integer("hidden_size"), text.integer("num_attention_heads")
    kv_heads, width = key_value_heads(text), head_dim(text)
    attending_to_image = text.integers("cross_attention_layers")
    if not attending_to_image:
        raise text.unreadable("cross_attention_layers", "this field is needed to size the model")
    gates = (vector("cross_attn_attn_gate", 1), vector("cross_attn_mlp_gate", 1))
    crossing = Layer(
        tensors=(
            *projections(hidden_size, heads, kv_heads, width, qk_norm="shared", module="cross_attn"),
            *gates,
            *gated_mlp(text, text.integer("intermediate_size")),
            *norms(hidden_size, ["input_layernorm", "post_attention_layernorm"]),
        ),
        caches=(
            CrossAttention(
                num_key_value_heads=kv_heads,
                head_dim=width,
                encoder_tokens=vision.integer("max_num_tiles") * (patches_of(vision) + 1),
            ),
        ),
    )
    decoding = llama(text)
    layers = [crossing if index in attending_to_image else layer for index, layer in enumerate(decoding.layers)]
    projector = divided(
        "multi_modal_projector", (hidden_size, vision.integer("vision_output_dim")), Split.ROWS, bias=True
    )
    rows = decoding.vocab_size + EMBEDDINGS_OF_IMAGE_TOKENS
    return replace(
        _seeing(decoding, "mllama", (*mllama_tower(vision), *projector), NESTED),
        layers=tuple(layers),
        embedding=tuple(replace(table, shape=(rows, hidden_size)) for table in decoding.embedding),
    )


def _qwen_text(config: Config) -> Config:
    """The part about the decoder, which Qwen2-VL and 2.5-VL configs have at the top or nested."""
    return text_part(config) if config.has("text_config") else config


def _merger(module: str, normed: tuple[Tensor, ...], merged: int, hidden_size: int) -> Tensors:
    """Neighbouring patches, ``merged`` numbers in all, projected to the decoder's hidden_size."""
    return (*normed, *perceptron((f"{module}.fc1", f"{module}.fc2"), (merged, merged, hidden_size), bias=True))


def _qwen_patch(vision: Config) -> int:
    return patch_size_of(vision) * vision.integer("temporal_patch_size")


def _qwen_tower(vision: Config, hidden_size: int, intermediate_size: int, projected: int, *, gated: bool) -> Tensors:
    """Qwen2-VL's encoder of LayerNorm and plain feed-forwards, or with ``gated`` Qwen2.5-VL's of RMSNorm and gates."""
    merged = hidden_size * vision.integer("spatial_merge_size") ** 2
    normed = layer_norm("visual.merger.ln_q", hidden_size)
    return (
        whole("visual.patch_embed.proj", hidden_size, _qwen_patch(vision)),
        *encoder_layers(
            "visual.blocks",
            vision.integer("depth"),
            hidden_size,
            intermediate_size,
            vision.integer("num_heads"),
            gated=gated,
            norm_bias=not gated,
        ),
        *_merger("visual.merger", normed[:1] if gated else normed, merged, projected),
    )


@family("Qwen2VLForConditionalGeneration")
def qwen2_vl(config: Config) -> Model:
    """Qwen2-VL: its encoder before Qwen2."""
    vision, decoding = config.part("vision_config"), qwen2(_qwen_text(config))
    width = vision.integer("embed_dim")
    towers = _qwen_tower(vision, width, width * vision.integer("mlp_ratio"), decoding.hidden_size, gated=False)
    return _seeing(decoding, "qwen2_vl", towers, decoding.layers_module)


@family("Qwen2_5_VLForConditionalGeneration")
def qwen2_5_vl(config: Config) -> Model:
    """Qwen2.5-VL: its encoder before Qwen2."""
    vision, decoding = config.part("vision_config"), qwen2(_qwen_text(config))
    towers = _qwen_tower(
        vision,
        vision.integer("hidden_size"),
        vision.integer("intermediate_size"),
        vision.integer("out_hidden_size"),
        gated=True,
    )
    return _seeing(decoding, "qwen2_5_vl", towers, decoding.layers_module)


def qwen3_vl_tower(vision: Config) -> Tensors:
    """Qwen3-VL's encoder: learned positions, and a merger for each layer whose output the decoder sees."""
    hidden_size, projected = vision.integer("hidden_size"), vision.integer("out_hidden_size")
    merged = hidden_size * vision.integer("spatial_merge_size") ** 2
    deep = len(vision.integers("deepstack_visual_indexes"))
    deepstack = _merger(
        "visual.deepstack_merger_list", layer_norm("visual.deepstack_merger_list.norm", merged), merged, projected
    )
    return (
        whole("visual.patch_embed.proj", hidden_size, _qwen_patch(vision)),
        whole("visual.patch_embed.proj.bias", hidden_size),
        whole("visual.pos_embed", vision.integer("num_position_embeddings"), hidden_size),
        *encoder_layers(
            "visual.blocks",
            vision.integer("depth"),
            hidden_size,
            vision.integer("intermediate_size"),
            vision.integer("num_heads"),
        ),
        *_merger("visual.merger", layer_norm("visual.merger.norm", hidden_size), merged, projected),
        *(deepstack * deep),
    )


@family("Qwen3VLForConditionalGeneration")
def qwen3_vl(config: Config) -> Model:
    """Qwen3-VL: its encoder before Qwen3."""
    return _seeing(qwen3(text_part(config)), "qwen3_vl", qwen3_vl_tower(config.part("vision_config")), NESTED_INSIDE)


@family("Qwen3VLMoeForConditionalGeneration")
def qwen3_vl_moe(config: Config) -> Model:
    """Qwen3-VL-MoE: its encoder before Qwen3-MoE."""
    return _seeing(
        qwen3_moe(text_part(config)), "qwen3_vl_moe", qwen3_vl_tower(config.part("vision_config")), NESTED_INSIDE
    )
