"""Decoders whose layers are all alike: attention and one gated feed-forward."""

from collections.abc import Sequence

from ..attention import Cache
from ..config import Config
from ..model import Layer, Model, Tensor, together
from .blocks import Tensors, attention, decoder, gated_mlp, norms
from .registry import family

TWO_NORMS = ("input_layernorm", "post_attention_layernorm")


def _alike(
    config: Config,
    attending: tuple[Tensors, Cache],
    norm_modules: Sequence[str] = TWO_NORMS,
    *,
    norm_bias: bool = False,
    mlp_bias: bool = False,
) -> list[Layer]:
    """The same layer ``num_hidden_layers`` times."""
    tensors, cache = attending
    feed_forward = gated_mlp(config, config.integer("intermediate_size"), bias=mlp_bias)
    around = norms(config.integer("hidden_size"), norm_modules, bias=norm_bias)
    layer = Layer(tensors=(*tensors, *feed_forward, *around), caches=(cache,))
    return [layer] * config.integer("num_hidden_layers")


@family("LlamaForCausalLM", "GraniteForCausalLM", "SmolLM3ForCausalLM")
def llama(config: Config) -> Model:
    """Llama 1 to 3 and the many that share its layers: Yi, Granite, SmolLM3, Falcon 3."""
    bias = config.flag("attention_bias", default=False)
    attending = attention(config, qkv_bias=bias, output_bias=bias)
    return decoder(config, "llama", _alike(config, attending, mlp_bias=config.flag("mlp_bias", default=False)))


@family("MistralForCausalLM")
def mistral(config: Config) -> Model:
    """Mistral: Llama's layers; a window in the first release."""
    bias = config.flag("attention_bias", default=False)
    return decoder(config, "mistral", _alike(config, attention(config, qkv_bias=bias, output_bias=bias, slides=True)))


@family("MiniCPMForCausalLM")
def minicpm(config: Config) -> Model:
    """Llama's layers with tied embeddings."""
    return decoder(config, "minicpm", _alike(config, attention(config)), tie_word_embeddings=True)


@family("BaichuanForCausalLM")
def baichuan(config: Config) -> Model:
    """Llama's layers with Q, K and V packed in one matrix."""
    return decoder(config, "baichuan", _alike(config, attention(config)))


@family("InternLM2ForCausalLM")
def internlm2(config: Config) -> Model:
    """Llama's layers with Q, K and V packed in one matrix."""
    bias = config.flag("bias", default=False)
    attending = attention(config, qkv_bias=bias, output_bias=bias)
    return decoder(config, "internlm2", _alike(config, attending))


@family("InternLM3ForCausalLM")
def internlm3(config: Config) -> Model:
    """Llama's layers with one switch for Q, K and V biases and one for all others."""
    bias = config.flag("bias", default=False)
    attending = attention(config, qkv_bias=config.flag("qkv_bias", default=False), output_bias=bias)
    return decoder(config, "internlm3", _alike(config, attending, mlp_bias=bias))


@family("OrionForCausalLM")
def orion(config: Config) -> Model:
    """Llama's layers with LayerNorm."""
    layers = _alike(config, attention(config), norm_bias=True)
    return decoder(config, "orion", layers, final_norm_bias=True)


@family("SeedOssForCausalLM")
def seed_oss(config: Config) -> Model:
    """Llama's layers with heads wider than hidden_size over heads, and a switch for the output's bias."""
    attending = attention(
        config,
        qkv_bias=config.flag("attention_bias", default=True),
        output_bias=config.flag("attention_out_bias", default=False),
    )
    return decoder(config, "seed_oss", _alike(config, attending))


@family("Qwen2ForCausalLM")
def qwen2(config: Config) -> Model:
    """Qwen1.5, Qwen2 and Qwen2.5: biases on Q, K and V alone."""
    return decoder(config, "qwen2", _alike(config, attention(config, qkv_bias=True)))


@family("Qwen3ForCausalLM")
def qwen3(config: Config) -> Model:
    """Qwen3: a norm on each head's queries and keys."""
    bias = config.flag("attention_bias", default=False)
    attending = attention(config, qkv_bias=bias, output_bias=bias, qk_norm="shared")
    return decoder(config, "qwen3", _alike(config, attending))


@family("MiMoForCausalLM")
def mimo(config: Config) -> Model:
    """MiMo-7B: Qwen2's layers, and layers predicting further that share embedding and output matrix.

    Source: XiaomiMiMo/MiMo-7B-Base, modeling_mimo.py.
    """
    hidden_size = config.integer("hidden_size")
    layers = _alike(config, attention(config, qkv_bias=True))
    count = config.count("num_nextn_predict_layers")
    around = (
        *norms(hidden_size, ["token_layernorm", "hidden_layernorm", "final_layernorm"]),
        Tensor(module="input_proj", part="mlp", shape=(hidden_size, 2 * hidden_size)),
    )
    return decoder(config, "mimo", layers, multi_token_prediction=together([layers[0]] * count, around * count))


@family("Phi3ForCausalLM")
def phi3(config: Config) -> Model:
    """Phi-3, Phi-3.5, Phi-4: Llama's layers with packed matrices; a window in the 4k releases."""
    return decoder(config, "phi3", _alike(config, attention(config, slides=True)))


@family("GemmaForCausalLM")
def gemma(config: Config) -> Model:
    """Gemma 1: wide heads and tied embeddings."""
    bias = config.flag("attention_bias", default=False)
    attending = attention(config, qkv_bias=bias, output_bias=bias)
    return decoder(config, "gemma", _alike(config, attending), tie_word_embeddings=True)


@family("Olmo2ForCausalLM")
def olmo2(config: Config) -> Model:
    """OLMo 2: norms after each block, and over all queries and all keys."""
    after = ("post_attention_layernorm", "post_feedforward_layernorm")
    return decoder(config, "olmo2", _alike(config, attention(config, qk_norm="per head"), after))


@family("GlmForCausalLM")
def glm(config: Config) -> Model:
    """GLM-4 as transformers has it: biases on Q, K and V."""
    bias = config.flag("attention_bias", default=False)
    return decoder(config, "glm", _alike(config, attention(config, qkv_bias=bias)))


@family("Glm4ForCausalLM")
def glm4(config: Config) -> Model:
    """GLM-4-0414: norms before and after each block."""
    bias = config.flag("attention_bias", default=False)
    four_norms = (*TWO_NORMS, "post_self_attn_layernorm", "post_mlp_layernorm")
    return decoder(config, "glm4", _alike(config, attention(config, qkv_bias=bias), four_norms))


@family("CohereForCausalLM")
def cohere(config: Config) -> Model:
    """Command R and Aya: attention and feed-forward in parallel after one norm, tied embeddings."""
    bias = config.flag("attention_bias", default=False)
    attending = attention(
        config,
        qkv_bias=bias,
        output_bias=bias,
        qk_norm="per head" if config.flag("use_qk_norm", default=False) else "none",
    )
    layers = _alike(config, attending, ["input_layernorm"])
    return decoder(config, "cohere", layers, tie_word_embeddings=True)
