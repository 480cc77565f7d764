"""Checkpoints as they are published, read from their headers: bytes are those of the files."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from checkpoints.reader import Reader
from checkpoints.sources import Sources
from schemas.errors import InvalidRequestError, ModelUnreadableError
from schemas.parse import parse_request
from sizing.catalog.catalog import load_catalog
from sizing.checkpoint import Checkpoint
from sizing.deployment import Sizes
from sizing.estimate import Estimate
from sizing.estimate_request import estimate
from sizing.plain_modules import plain_modules
from sizing.weights import Placement, weights_per_stage

from .laying import (
    AWQ,
    DEEPSEEK_V3,
    GPTQ,
    LLAMA_31_8B,
    QWEN3_30B,
    SMALL,
    bytes_of,
    deepseek_v3,
    lay,
    lay_file,
    llama,
    llama_awq,
    llama_gptq,
    qwen3_moe,
    size_of,
    small,
)


def read(folder: Path, **fields: object) -> Checkpoint:
    """The checkpoint in ``folder``."""
    request = parse_request({"model": {"path": folder.name}, **fields})
    (found,) = Reader(Sources(model_root=folder.parent)).read(request).values()
    return found


def weigh(folder: Path, count: int = 1, **fields: object) -> Estimate:
    """The estimate of the checkpoint in ``folder`` on GPUs that hold anything."""
    hardware = {"gpu": "B300", "count": count}
    request = parse_request({"model": {"path": folder.name}, "hardware": hardware, **fields})
    return estimate(request, load_catalog(), Reader(Sources(model_root=folder.parent)).read(request))


def held(checkpoint: Checkpoint, ranks: int = 1) -> dict[str, int]:
    """Bytes of each part on one rank, the vocabulary not padded."""
    sizes = Sizes(
        tensor_parallel_size=ranks, pipeline_parallel_size=1, data_parallel_size=1, enable_expert_parallel=False
    )
    placed = Placement(storage=checkpoint.storage, sizes=sizes, vocabulary_padding=1)
    return {str(part): size for part, size in weights_per_stage(checkpoint.model, placed)[0].items()}


def total(checkpoint: Checkpoint, ranks: int = 1) -> int:
    """Bytes on one rank."""
    return sum(held(checkpoint, ranks).values())


def config_alone(config: Mapping[str, Any], **fields: object) -> Estimate:
    """The estimate of the same model from its config.json alone."""
    request = parse_request({"model": {"config": dict(config)}, "hardware": {"gpu": "B300"}, **fields})
    return estimate(request, load_catalog())


def test_llama_31_8b(tmp_path: Path) -> None:
    """Weights are the bytes of the files; on two ranks, half of them and the norms, which both hold."""
    folder = lay(tmp_path / "llama", LLAMA_31_8B, llama(), shards=4)
    found = read(folder)
    assert total(found) == bytes_of(llama()) == 16_060_522_496
    norms = 65 * 4096 * 2
    assert 2 * total(found, ranks=2) == bytes_of(llama()) + norms
    weighed = weigh(folder)
    assert weighed.evidence.weights == "header"
    assert weighed.num_parameters == 8_030_261_248
    assert weighed.per_gpu == config_alone(LLAMA_31_8B).per_gpu


def test_qwen3_30b_a3b(tmp_path: Path) -> None:
    """Experts that are stored one by one are those of the family; four ranks hold a quarter of them each."""
    folder = lay(tmp_path / "qwen3", QWEN3_30B, qwen3_moe(), shards=16)
    found = read(folder)
    assert total(found) == bytes_of(qwen3_moe())
    assert held(found, ranks=4)["experts"] * 4 == 48 * 128 * 3 * 768 * 2048 * 2
    assert weigh(folder).num_parameters == 30_532_122_624


def test_deepseek_v3(tmp_path: Path) -> None:
    """All of the published 641.285 GiB is accounted for: what is served, and the layer that predicts further.

    Sources: 91,991 tensors in model.safetensors.index.json of deepseek-ai/DeepSeek-V3, and its size.
    """
    tensors = deepseek_v3()
    assert (len(tensors), round(bytes_of(tensors) / 2**30, 3)) == (91_991, 641.285)
    folder = lay(tmp_path / "deepseek", DEEPSEEK_V3, tensors, shards=16)
    ahead = sum(size_of(*said) for name, said in tensors.items() if name.startswith("model.layers.61."))
    # The routers' biases are in 32 bit, and served in 16.
    biases = 58 * 256 * 2
    found = read(folder)
    assert total(found) == bytes_of(tensors) - ahead - biases
    assert found.storage.evidence == "header"
    assert weigh(folder, 8).per_gpu == config_alone(DEEPSEEK_V3, parallelism={"tensor_parallel_size": 8}).per_gpu


def test_awq_and_gptq(tmp_path: Path) -> None:
    """Words of packed weights, their scales and zero points are counted; the order that GPTQ stores is not kept."""
    awq = lay(tmp_path / "awq", {**LLAMA_31_8B, "quantization_config": AWQ}, llama_awq())
    gptq = lay(tmp_path / "gptq", {**LLAMA_31_8B, "quantization_config": GPTQ}, llama_gptq())
    order = sum(size_of(*said) for name, said in llama_gptq().items() if name.endswith(".g_idx"))
    assert total(read(awq)) == bytes_of(llama_awq())
    assert total(read(gptq)) == bytes_of(llama_gptq()) - order
    assert weigh(awq).deployment.weight_format.name == "awq-int4"
    assert plain_modules(read(gptq).model, read(gptq).storage) == ("model.embed_tokens", "lm_head")


def test_another_format_is_weighed_from_the_config(tmp_path: Path) -> None:
    """What is asked in a format that is not the checkpoint's rests on the config, as it does without files."""
    folder = lay(tmp_path / "llama", LLAMA_31_8B, llama())
    weighed = weigh(folder, weight_format="fp8")
    assert weighed.evidence.weights == "config"
    assert weighed.per_gpu == config_alone(LLAMA_31_8B, weight_format="fp8").per_gpu
    assert weigh(folder, weight_format="bf16").evidence.weights == "header"


def test_packed_matrices_are_the_familys_together(tmp_path: Path) -> None:
    """Q, K and V in one matrix and gate and up in another, as Phi-3 stores them, are divided as the family says."""
    config = {**SMALL, "architectures": ["Phi3ForCausalLM"], "sliding_window": None}
    tensors = {
        name: said for name, said in small().items() if "_proj" not in name or "o_proj" in name or "down" in name
    }
    for layer in range(2):
        tensors[f"model.layers.{layer}.self_attn.qkv_proj.weight"] = ("BF16", (512, 256))
        tensors[f"model.layers.{layer}.mlp.gate_up_proj.weight"] = ("BF16", (1024, 256))
    found = read(lay(tmp_path / "phi3", config, tensors))
    assert total(found) == bytes_of(tensors)
    assert found.storage.evidence == "header"
    assert 2 * total(found, ranks=2) == bytes_of(tensors) + 5 * 256 * 2


def test_a_vector_too_many_is_named_beside_packed_matrices(tmp_path: Path) -> None:
    """A number that the family does not know does not hide that the matrices are all there."""
    config = {**SMALL, "architectures": ["Phi3ForCausalLM"], "sliding_window": None}
    tensors = {name: said for name, said in small().items() if not any(f"{each}_proj" in name for each in "qkv")}
    for layer in range(2):
        tensors[f"model.layers.{layer}.self_attn.qkv_proj.weight"] = ("BF16", (512, 256))
    tensors["model.layers.1.layer_scalar"] = ("BF16", (1,))
    found = read(lay(tmp_path / "scaled", config, tensors))
    stored = found.storage.stored
    assert stored is not None
    assert (stored.unmatched, stored.unmatched_bytes) == (("model.layers.1.layer_scalar",), 2)
    assert total(found) == bytes_of(tensors)


def test_words_of_two_widths_are_counted_by_their_bytes(tmp_path: Path) -> None:
    """Where words hold four weights here and eight there, the bytes are those of the file all the same."""
    weights = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": 128}
    groups = {
        "group_0": {"targets": ["re:.*mlp.*"], "weights": weights},
        "group_1": {"targets": ["re:.*self_attn.*"], "weights": {**weights, "num_bits": 8}},
    }
    said = {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "config_groups": groups,
        "ignore": ["lm_head"],
    }
    tensors = {name: said for name, said in small().items() if "_proj" not in name}
    for name, (_, (*rows, columns)) in small().items():
        if "_proj" in name:
            in_a_word = 8 if "mlp" in name else 4
            tensors[f"{name}_packed"] = ("I32", (*rows, columns // in_a_word))
            tensors[f"{name}_scale"] = ("BF16", (*rows, columns // 128))
            tensors[f"{name}_shape"] = ("I64", (2,))
    found = read(lay(tmp_path / "mixed", {**SMALL, "quantization_config": said}, tensors))
    assert total(found) == pytest.approx(bytes_of(tensors), abs=len(tensors))
    assert found.storage.evidence == "header"


def test_what_the_headers_hold_counts_and_not_what_the_lists_say(tmp_path: Path) -> None:
    """A layer left in 16 bit that no list names, and a head quantized unasked, are counted as they are stored."""
    config = {**SMALL, "quantization_config": {"quant_method": "fp8", "activation_scheme": "dynamic"}}
    tensors = small()
    for name, (_, shape) in small().items():
        if (".1." in name and "_proj" in name) or name == "lm_head.weight":
            tensors[name] = ("F8_E4M3", shape)
            tensors[f"{name}_scale"] = ("F32", ())
    found = read(lay(tmp_path / "mixed", config, tensors))
    assert total(found) == bytes_of(tensors)
    plain = plain_modules(found.model, found.storage)
    assert "model.layers.0.mlp.up_proj" in plain
    assert "lm_head" not in plain


GPT_OSS = {
    "architectures": ["GptOssForCausalLM"],
    "hidden_size": 256,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "sliding_window": 128,
    "vocab_size": 1024,
    "max_position_embeddings": 4096,
    "tie_word_embeddings": False,
    "quantization_config": {"quant_method": "mxfp4"},
}
"""The fields of openai/gpt-oss-20b's config.json, with small numbers."""


def gpt_oss() -> dict[str, tuple[str, tuple[int, ...]]]:
    """The tensors of ``GPT_OSS``, under the names of openai/gpt-oss-20b: 32 weights in 16 bytes and one of scale."""
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "model.embed_tokens.weight": ("BF16", (1024, 256)),
        "model.norm.weight": ("BF16", (256,)),
        "lm_head.weight": ("BF16", (1024, 256)),
    }
    for layer in range(2):
        module = f"model.layers.{layer}"
        for name, rows, columns in (("q", 256, 256), ("k", 128, 256), ("v", 128, 256), ("o", 256, 256)):
            found[f"{module}.self_attn.{name}_proj.weight"] = ("BF16", (rows, columns))
            found[f"{module}.self_attn.{name}_proj.bias"] = ("BF16", (rows,))
        found[f"{module}.self_attn.sinks"] = ("BF16", (4,))
        for name in ("input_layernorm", "post_attention_layernorm"):
            found[f"{module}.{name}.weight"] = ("BF16", (256,))
        found[f"{module}.mlp.router.weight"] = ("BF16", (4, 256))
        found[f"{module}.mlp.router.bias"] = ("BF16", (4,))
        for name, rows in (("gate_up_proj", 512), ("down_proj", 256)):
            found[f"{module}.mlp.experts.{name}_blocks"] = ("U8", (4, rows, 8, 16))
            found[f"{module}.mlp.experts.{name}_scales"] = ("U8", (4, rows, 8))
            found[f"{module}.mlp.experts.{name}_bias"] = ("BF16", (4, rows))
    return found


def test_experts_in_blocks(tmp_path: Path) -> None:
    """gpt-oss stores its experts in blocks and scales, gate and up interleaved; all of it is the family's."""
    found = read(lay(tmp_path / "oss", GPT_OSS, gpt_oss()))
    assert found.storage.evidence == "header"
    assert total(found) == bytes_of(gpt_oss())
    assert found.storage.quantized.name == "mxfp4"


def test_experts_under_names_of_their_own(tmp_path: Path) -> None:
    """Mixtral's experts are called w1, w2 and w3 of a sparse block; they are the family's all the same."""
    routed = {"num_local_experts": 4, "num_experts_per_tok": 2}
    config = {**SMALL, **routed, "architectures": ["MixtralForCausalLM"], "sliding_window": None}
    tensors = {name: said for name, said in small().items() if ".mlp." not in name}
    for layer in range(2):
        block = f"model.layers.{layer}.block_sparse_moe"
        tensors[f"{block}.gate.weight"] = ("BF16", (4, 256))
        for expert in range(4):
            for name, shape in (("w1", (512, 256)), ("w2", (256, 512)), ("w3", (512, 256))):
                tensors[f"{block}.experts.{expert}.{name}.weight"] = ("BF16", shape)
    found = read(lay(tmp_path / "mixtral", config, tensors))
    assert (total(found), found.storage.evidence) == (bytes_of(tensors), "header")
    assert held(found, ranks=2)["experts"] * 2 == 2 * 4 * 3 * 512 * 256 * 2


def test_bitsandbytes(tmp_path: Path) -> None:
    """Scales of NF4 are served in 32 bit, even where the file has them quantized once more."""
    config = {
        **SMALL,
        "quantization_config": {
            "quant_method": "bitsandbytes",
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_use_double_quant": True,
        },
    }
    tensors = {name: said for name, said in small().items() if "_proj" not in name}
    for name, (_, shape) in small().items():
        if "_proj" in name:
            count = shape[0] * shape[1]
            tensors[name] = ("U8", (count // 2, 1))
            tensors[f"{name}.absmax"] = ("U8", (count // 64,))
    weights = sum(shape[0] * shape[1] for name, (_, shape) in small().items() if "_proj" in name)
    plain = bytes_of({name: said for name, said in small().items() if "_proj" not in name})
    found = read(lay(tmp_path / "nf4", config, tensors))
    assert total(found) == plain + weights // 2 + weights // 64 * 4


def test_format_that_only_hf_quant_config_names(tmp_path: Path) -> None:
    """A checkpoint of Model Optimizer may say in hf_quant_config.json alone how it is stored."""
    tensors = {name: said for name, said in small().items() if "_proj" not in name}
    for name, (_, (*rows, columns)) in small().items():
        if "_proj" in name:
            tensors[name] = ("U8", (*rows, columns // 2))
            tensors[f"{name}_scale"] = ("F8_E4M3", (*rows, columns // 16))
            tensors[f"{name}_scale_2"] = ("F32", ())
            tensors[f"{name.removesuffix('weight')}input_scale"] = ("F32", ())
    folder = lay(tmp_path / "nvfp4", SMALL, tensors)
    said = {"quantization": {"quant_algo": "NVFP4", "group_size": 16, "exclude_modules": ["lm_head"]}}
    (folder / "hf_quant_config.json").write_text(json.dumps(said))
    found = read(folder)
    assert found.storage.quantized.name == "nvfp4"
    assert total(found) == bytes_of(tensors)


def test_tied_output_matrix_is_served_once(tmp_path: Path) -> None:
    """A checkpoint that stores the tied matrix twice needs no more than one that does not."""
    once = {name: said for name, said in small().items() if name != "lm_head.weight"}
    config = {**SMALL, "tie_word_embeddings": True}
    twice = read(lay(tmp_path / "twice", config, small()))
    assert total(twice) == total(read(lay(tmp_path / "once", config, once))) == bytes_of(once)
    assert twice.storage.evidence == "header"


def test_wider_weights_are_served_in_the_models_type(tmp_path: Path) -> None:
    """Weights stored in 32 bit of a model that is served in 16 take half of what they take in the file."""
    wide = {name: ("F32", shape) for name, (_, shape) in small().items()}
    assert total(read(lay(tmp_path / "wide", SMALL, wide))) == bytes_of(wide) // 2


def test_type_that_the_config_does_not_say_is_that_of_the_headers(tmp_path: Path) -> None:
    """Without a dtype in the config, most of the weights say it."""
    config = {name: value for name, value in SMALL.items() if name != "torch_dtype"}
    found = read(lay(tmp_path / "silent", config, small()))
    assert found.model.dtype == "bfloat16"
    assert total(found) == bytes_of(small())


def test_buffers_that_engines_compute_are_not_counted(tmp_path: Path) -> None:
    """Frequencies of rotary embeddings, which old checkpoints carry, are not weights."""
    tensors = {**small(), "model.layers.0.self_attn.rotary_emb.inv_freq": ("F32", (32,))}
    found = read(lay(tmp_path / "old", SMALL, tensors))
    assert (total(found), found.storage.evidence) == (bytes_of(small()), "header")


def test_scales_of_the_kv_cache_belong_to_their_layer(tmp_path: Path) -> None:
    """They are counted, and nothing is said of them."""
    tensors = {**small(), "model.layers.0.self_attn.attn.k_scale": ("F32", (1,))}
    found = read(lay(tmp_path / "scaled", SMALL, tensors))
    assert (total(found), found.storage.evidence) == (bytes_of(tensors), "header")


def test_what_the_family_lacks_is_counted_and_named(tmp_path: Path) -> None:
    """Tensors of an encoder that the family does not know are held whole by the first ranks, and told of."""
    extra = {"audio_tower.conv.weight": ("BF16", (64, 128)), "audio_tower.conv.bias": ("BF16", (64,))}
    found = read(lay(tmp_path / "hearing", SMALL, {**small(), **extra}))
    assert held(found, ranks=2)["other"] == bytes_of(extra)
    assert found.storage.evidence == "analytic"
    stored = found.storage.stored
    assert stored is not None
    assert stored.unmatched == tuple(extra)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            {"model.layers.1.self_attn.k_proj.weight": ("BF16", (256, 256))},
            (
                r"model\.layers\.1\.self_attn\.k_proj is \(128, 256\) by the config, where the checkpoint has "
                r"model\.layers\.1\.self_attn\.k_proj\.weight with 65,536 weights"
            ),
        ),
        ({"model.layers.0.mlp.up_proj.weight": ("BF16", (1024, 128))}, r"model\.layers\.0\.mlp\.up_proj is"),
        ({"model.layers.0.mlp.up_proj.weight": None}, r"model\.layers\.0\.mlp\.up_proj is"),
        ({"lm_head.weight": None}, r"lm_head is \(1024, 256\) by the config, and the checkpoint has no such tensor"),
        ({"model.embed_tokens.weight": ("BF16", (2048, 256))}, r"model\.embed_tokens is \(1024, 256\)"),
        ({"model.layers.2.mlp.up_proj.weight": ("BF16", (512, 256))}, "beyond the 2 layers"),
        ({name: None for name in small() if ".layers.1." in name}, "has no layer 1"),
    ],
)
def test_headers_that_are_not_of_the_config_are_refused(
    tmp_path: Path, change: dict[str, tuple[str, tuple[int, ...]] | None], why: str
) -> None:
    """A tensor of another shape, one that is missing and a layer too many are each told by name."""
    tensors = {name: said for name, said in {**small(), **change}.items() if said is not None}
    with pytest.raises(ModelUnreadableError, match=why):
        read(lay(tmp_path / "wrong", SMALL, tensors))


@pytest.mark.parametrize(
    ("index", "why"),
    [
        ("[]", "not a JSON object"),
        ("{", "not JSON"),
        ("{}", "does not say which tensor"),
        ('{"weight_map": {"a": 7}}', "does not say which tensor"),
        ('{"weight_map": {"a": "../other/model.safetensors"}}', "which is no file beside it"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "which is no file beside it"),
        ('{"weight_map": {"a": "gone.safetensors"}}', "which is no file beside it"),
        ('{"weight_map": {"a": "model.safetensors"}}', "'a', which no file holds"),
        (json.dumps({"weight_map": {str(n): f"{n}.safetensors" for n in range(2)}}), "which is no file beside it"),
    ],
)
def test_index_that_cannot_be_followed_is_refused(tmp_path: Path, index: str, why: str) -> None:
    """An index that leads elsewhere, or names what is not there, is told by its name."""
    folder = lay(tmp_path / "indexed", SMALL, small())
    (folder / "model.safetensors.index.json").write_text(index)
    with pytest.raises(ModelUnreadableError, match=rf"model\.safetensors\.index\.json.*{why}"):
        read(folder)


def test_tensor_in_two_files_is_refused(tmp_path: Path) -> None:
    """A name means one tensor."""
    folder = lay(tmp_path / "double", SMALL, small(), shards=2)
    lay_file(folder / "model-00001-of-00002.safetensors", {"lm_head.weight": ("BF16", (1024, 256))})
    lay_file(folder / "model-00002-of-00002.safetensors", small())
    with pytest.raises(ModelUnreadableError, match=r"'lm_head\.weight' is there and in another file too"):
        read(folder)


def test_folder_without_weights_is_refused(tmp_path: Path) -> None:
    """A config alone is no checkpoint: it can be sent as it is."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text(json.dumps(SMALL))
    with pytest.raises(ModelUnreadableError, match="neither safetensors nor GGUF files"):
        read(tmp_path / "bare")


@pytest.mark.parametrize(("config", "why"), [(None, "this file is needed"), ("7", "not a JSON object")])
def test_config_that_is_not_there_or_none_is_refused(tmp_path: Path, config: str | None, why: str) -> None:
    """Headers alone do not say how a model attends."""
    folder = lay(tmp_path / "silent", SMALL, small())
    (folder / "config.json").unlink()
    if config:
        (folder / "config.json").write_text(config)
    with pytest.raises(ModelUnreadableError, match=rf"config\.json: {why}|config\.json: it is {why}"):
        read(folder)


def test_a_checkpoint_is_read_again_only_when_it_changes(tmp_path: Path) -> None:
    """What was read is remembered as long as no file of it changes."""
    folder = lay(tmp_path / "llama", SMALL, small())
    first = read(folder)
    assert read(folder) is first
    lay(folder, {**SMALL, "max_position_embeddings": 512}, small())
    assert read(folder).model.max_position_embeddings == 512


def test_header_bytes_are_all_that_is_read(tmp_path: Path, reads: list[tuple[int, int]]) -> None:
    """Of 60 GiB of tensors nothing is wanted: headers, config and index are what is read."""
    config = {**DEEPSEEK_V3, "n_routed_experts": 16}
    folder = lay(tmp_path / "deepseek", config, deepseek_v3(experts=16), shards=4)
    read(folder)
    headers = sum(max(_header_end(path), 2**14) for path in folder.glob("*.safetensors"))
    others = sum(path.stat().st_size for path in folder.glob("*.json"))
    assert sum(length for _, length in reads) <= headers + others


def _header_end(path: Path) -> int:
    with path.open("rb") as file:
        return 8 + int.from_bytes(file.read(8), "little")


def test_a_draft_may_be_a_folder_too(tmp_path: Path) -> None:
    """The model and what proposes its tokens are each read from their own files."""
    lay(tmp_path / "large", {**SMALL, "num_hidden_layers": 2}, small())
    shallow = {name: said for name, said in small().items() if ".layers.1." not in name}
    lay(tmp_path / "draft", {**SMALL, "num_hidden_layers": 1}, shallow)
    draft = {"num_speculative_tokens": 3, "draft_model": {"path": "draft"}}
    weighed = weigh(tmp_path / "large", speculative=draft)
    assert weighed.weights_by_part is not None
    assert weighed.weights_by_part["draft"] == bytes_of(shallow)
    assert sum(weighed.weights_by_part.values()) == bytes_of(small()) + bytes_of(shallow)


def test_layers_that_predict_further_are_weighed_as_the_config_has_them(tmp_path: Path) -> None:
    """Used as a draft they are those of the config, and what the family lacks is not counted once more with them."""
    extra = {"audio_tower.conv.weight": ("BF16", (64, 128))}
    config = {**DEEPSEEK_V3, "n_routed_experts": 16}
    folder = lay(tmp_path / "deepseek", config, {**deepseek_v3(experts=16), **extra})
    asked = {"speculative": {"num_speculative_tokens": 1}, "parallelism": {"tensor_parallel_size": 8}}
    found, expected = weigh(folder, 8, **asked).weights_by_part, config_alone(config, **asked).weights_by_part
    assert found is not None
    assert expected is not None
    assert found == {**expected, "other": bytes_of(extra)}


def test_paths_need_a_root() -> None:
    """Without a model root no path is read, and the variable to set is named."""
    with pytest.raises(InvalidRequestError) as told:
        Reader(Sources()).read(parse_request({"model": {"path": "llama"}}))
    assert "WEIGHBRIDGE_MODEL_ROOT" in (told.value.hint or "")
