"""Checkpoints laid down without their tensors: real headers, and holes in the file where the data would be.

Names and shapes are those of the published checkpoints, written out here and not taken from the families under test.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Tensors = Mapping[str, tuple[str, tuple[int, ...]]]
"""Element type and shape of each tensor by its name."""

BITS = {"BF16": 16, "F16": 16, "F32": 32, "F8_E4M3": 8, "U8": 8, "I32": 32, "I64": 64, "F8_E8M0": 8}


def size_of(dtype: str, shape: tuple[int, ...]) -> int:
    """Bytes of one tensor."""
    size = BITS[dtype]
    for side in shape:
        size *= side
    return size // 8


def bytes_of(tensors: Tensors) -> int:
    """Bytes of all tensors."""
    return sum(size_of(*each) for each in tensors.values())


def header_of(tensors: Tensors) -> bytes:
    """The eight bytes and the JSON that a safetensors file begins with."""
    said: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    place = 0
    for name, (dtype, shape) in tensors.items():
        end = place + size_of(dtype, shape)
        said[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [place, end]}
        place = end
    text = json.dumps(said).encode()
    return len(text).to_bytes(8, "little") + text


def lay_file(path: Path, tensors: Tensors) -> None:
    """A safetensors file at ``path`` that is a hole behind its header."""
    header = header_of(tensors)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + bytes_of(tensors))


def lay(folder: Path, config: Mapping[str, Any], tensors: Tensors, *, shards: int = 1) -> Path:
    """A checkpoint in ``folder``, in one file or in several with an index."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    if shards == 1:
        lay_file(folder / "model.safetensors", tensors)
        return folder
    names = list(tensors)
    weight_map: dict[str, str] = {}
    for number in range(shards):
        held = names[number::shards]
        file = f"model-{number + 1:05}-of-{shards:05}.safetensors"
        lay_file(folder / file, {name: tensors[name] for name in held})
        weight_map |= dict.fromkeys(held, file)
    index = {"metadata": {"total_size": bytes_of(tensors)}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


LLAMA_31_8B = {
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 131072,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
"""Source: meta-llama/Llama-3.1-8B, config.json."""

LLAMA_MATRICES = {
    "self_attn.q_proj": (4096, 4096),
    "self_attn.k_proj": (1024, 4096),
    "self_attn.v_proj": (1024, 4096),
    "self_attn.o_proj": (4096, 4096),
    "mlp.gate_proj": (14336, 4096),
    "mlp.up_proj": (14336, 4096),
    "mlp.down_proj": (4096, 14336),
}


def around(vocab_size: int, hidden_size: int) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """What is around the layers of most decoders, in 16 bit."""
    yield "model.embed_tokens.weight", ("BF16", (vocab_size, hidden_size))
    yield "model.norm.weight", ("BF16", (hidden_size,))
    yield "lm_head.weight", ("BF16", (vocab_size, hidden_size))


def two_norms(layer: int, hidden_size: int) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    """The norms of a layer of most decoders."""
    for name in ("input_layernorm", "post_attention_layernorm"):
        yield f"model.layers.{layer}.{name}.weight", ("BF16", (hidden_size,))


def llama() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Llama-3.1-8B as published."""
    found = dict(around(128256, 4096))
    for layer in range(32):
        found.update(two_norms(layer, 4096))
        for name, shape in LLAMA_MATRICES.items():
            found[f"model.layers.{layer}.{name}.weight"] = ("BF16", shape)
    return found


AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm", "zero_point": True}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}


def llama_awq() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Llama-3.1-8B as AutoAWQ writes it: eight weights in a word along the outputs."""
    found = {name: said for name, said in llama().items() if "_proj" not in name}
    for layer in range(32):
        for name, (rows, columns) in LLAMA_MATRICES.items():
            module = f"model.layers.{layer}.{name}"
            found[f"{module}.qweight"] = ("I32", (columns, rows // 8))
            found[f"{module}.qzeros"] = ("I32", (columns // 128, rows // 8))
            found[f"{module}.scales"] = ("F16", (columns // 128, rows))
    return found


def llama_gptq() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Llama-3.1-8B as AutoGPTQ writes it: eight weights in a word along the inputs, and the order of columns."""
    found = {name: said for name, said in llama().items() if "_proj" not in name}
    for layer in range(32):
        for name, (rows, columns) in LLAMA_MATRICES.items():
            module = f"model.layers.{layer}.{name}"
            found[f"{module}.qweight"] = ("I32", (columns // 8, rows))
            found[f"{module}.qzeros"] = ("I32", (columns // 128, rows // 8))
            found[f"{module}.scales"] = ("F16", (columns // 128, rows))
            found[f"{module}.g_idx"] = ("I32", (columns,))
    return found


QWEN3_30B = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "vocab_size": 151936,
    "max_position_embeddings": 40960,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
"""Source: Qwen/Qwen3-30B-A3B, config.json."""


def qwen3_moe() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Qwen3-30B-A3B as published, each expert by itself."""
    found = dict(around(151936, 2048))
    for layer in range(48):
        found.update(two_norms(layer, 2048))
        module = f"model.layers.{layer}"
        for name, rows in {"q_proj": 4096, "k_proj": 512, "v_proj": 512}.items():
            found[f"{module}.self_attn.{name}.weight"] = ("BF16", (rows, 2048))
        found[f"{module}.self_attn.o_proj.weight"] = ("BF16", (2048, 4096))
        for name in ("q_norm", "k_norm"):
            found[f"{module}.self_attn.{name}.weight"] = ("BF16", (128,))
        found[f"{module}.mlp.gate.weight"] = ("BF16", (128, 2048))
        for expert in range(128):
            for name, shape in {"gate_proj": (768, 2048), "up_proj": (768, 2048), "down_proj": (2048, 768)}.items():
                found[f"{module}.mlp.experts.{expert}.{name}.weight"] = ("BF16", shape)
    return found


DEEPSEEK_V3 = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "n_routed_experts": 256,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
    "moe_layer_freq": 1,
    "num_hidden_layers": 61,
    "num_nextn_predict_layers": 1,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "vocab_size": 129280,
    "max_position_embeddings": 163840,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
    "quantization_config": {
        "activation_scheme": "dynamic",
        "fmt": "e4m3",
        "quant_method": "fp8",
        "weight_block_size": [128, 128],
    },
}
"""Source: deepseek-ai/DeepSeek-V3, config.json."""


def _in_blocks(name: str, rows: int, columns: int) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    yield f"{name}.weight", ("F8_E4M3", (rows, columns))
    yield f"{name}.weight_scale_inv", ("F32", (-(-rows // 128), -(-columns // 128)))


def _deepseek_attention(module: str) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    yield from _in_blocks(f"{module}.q_a_proj", 1536, 7168)
    yield f"{module}.q_a_layernorm.weight", ("BF16", (1536,))
    yield from _in_blocks(f"{module}.q_b_proj", 128 * 192, 1536)
    yield from _in_blocks(f"{module}.kv_a_proj_with_mqa", 576, 7168)
    yield f"{module}.kv_a_layernorm.weight", ("BF16", (512,))
    yield from _in_blocks(f"{module}.kv_b_proj", 128 * 256, 512)
    yield from _in_blocks(f"{module}.o_proj", 7168, 128 * 128)


def _deepseek_mlp(module: str, width: int) -> Iterator[tuple[str, tuple[str, tuple[int, ...]]]]:
    for name, rows, columns in (("gate_proj", width, 7168), ("up_proj", width, 7168), ("down_proj", 7168, width)):
        yield from _in_blocks(f"{module}.{name}", rows, columns)


def deepseek_v3(experts: int = 256) -> dict[str, tuple[str, tuple[int, ...]]]:
    """DeepSeek-V3 as published, in blocks of FP8, with its layer for multi-token prediction."""
    found = dict(around(129280, 7168))
    for layer in range(62):
        module = f"model.layers.{layer}"
        found.update(two_norms(layer, 7168))
        found.update(_deepseek_attention(f"{module}.self_attn"))
        if layer < 3:
            found.update(_deepseek_mlp(f"{module}.mlp", 18432))
            continue
        found[f"{module}.mlp.gate.weight"] = ("BF16", (experts, 7168))
        found[f"{module}.mlp.gate.e_score_correction_bias"] = ("F32", (experts,))
        found.update(_deepseek_mlp(f"{module}.mlp.shared_experts", 2048))
        for expert in range(experts):
            found.update(_deepseek_mlp(f"{module}.mlp.experts.{expert}", 2048))
    ahead = "model.layers.61"
    for name in ("enorm", "hnorm", "shared_head.norm"):
        found[f"{ahead}.{name}.weight"] = ("BF16", (7168,))
    found[f"{ahead}.eh_proj.weight"] = ("BF16", (7168, 14336))
    for name in ("embed_tokens", "shared_head.head"):
        found[f"{ahead}.{name}.weight"] = ("BF16", (129280, 7168))
    return found


SMALL = {
    **LLAMA_31_8B,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1024,
}
"""A Llama small enough to be changed tensor by tensor."""


def small() -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors of ``SMALL``."""
    found = dict(around(1024, 256))
    for layer in range(2):
        found.update(two_norms(layer, 256))
        for name, shape in {
            "self_attn.q_proj": (256, 256),
            "self_attn.k_proj": (128, 256),
            "self_attn.v_proj": (128, 256),
            "self_attn.o_proj": (256, 256),
            "mlp.gate_proj": (512, 256),
            "mlp.up_proj": (512, 256),
            "mlp.down_proj": (256, 512),
        }.items():
            found[f"model.layers.{layer}.{name}.weight"] = ("BF16", shape)
    return found
