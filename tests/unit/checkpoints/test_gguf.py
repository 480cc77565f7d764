"""GGUF files as the gguf package writes them, and as nobody should."""

import contextlib
import os
import struct
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkpoints.folder import open_folder
from checkpoints.gguf import read_gguf_header
from checkpoints.reader import Reader
from checkpoints.sources import Sources
from rules.recommend import answer, packaged
from schemas.errors import ModelUnreadableError, UnsupportedArchitectureError
from schemas.parse import parse_request
from schemas.recommendation import Recommendation
from sizing.catalog.gguf import load_gguf
from sizing.catalog.gguf_files import load_gguf_files
from sizing.catalog.models import catalog_model
from sizing.checkpoint import Checkpoint
from sizing.families import covered_architectures

from .test_reading import held, total

Shapes = Mapping[str, tuple[str, tuple[int, ...]]]
"""ggml type and (out_features, in_features) of each tensor by its name."""

ALIGNMENT = 32


def tensor_bytes(kind: str, shape: tuple[int, ...]) -> int:
    """Bytes of a tensor by the package's own table."""
    elements, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    return int(np.prod(shape)) // elements * size


def bytes_of(tensors: Shapes) -> int:
    """Bytes of all tensors."""
    return sum(tensor_bytes(*each) for each in tensors.values())


def write(path: Path, architecture: str, numbers: Mapping[str, Any], tensors: Shapes, *, vocabulary: int = 64) -> None:
    """A GGUF file at ``path`` that is a hole behind its header; keys of ``numbers`` are below the architecture."""
    writer = gguf.GGUFWriter(path, architecture)
    for key, value in numbers.items():
        name = key if "general." in key or "split." in key else f"{architecture}.{key}"
        if isinstance(value, list):
            writer.add_array(name, value)
        elif isinstance(value, float):
            writer.add_float32(name, value)
        else:
            writer.add_uint32(name, value)
    writer.add_token_list([f"token {number}" for number in range(vocabulary)])
    writer.add_token_scores([0.0] * vocabulary)
    writer.add_chat_template("{{ messages }}" * 1000)
    for name, (kind, shape) in tensors.items():
        size = tensor_bytes(kind, shape)
        of_bytes = [*shape[:-1], size // max(int(np.prod(shape[:-1])), 1)]
        raw = gguf.GGMLQuantizationType[kind]
        writer.add_tensor_info(name, of_bytes, np.dtype(np.uint8), size, raw_dtype=raw)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    header = -(-path.stat().st_size // ALIGNMENT) * ALIGNMENT
    os.truncate(path, header + sum(-(-tensor_bytes(*each) // ALIGNMENT) * ALIGNMENT for each in tensors.values()))


def read(root: Path, path: str, **fields: object) -> Checkpoint:
    """The checkpoint at ``path`` below ``root``."""
    request = parse_request({"model": {"path": path}, **fields})
    (found,) = Reader(Sources(model_root=root)).read(request).values()
    return found


LLAMA = {
    "block_count": 32,
    "context_length": 131072,
    "embedding_length": 4096,
    "feed_forward_length": 14336,
    "attention.head_count": 32,
    "attention.head_count_kv": 8,
    "rope.dimension_count": 128,
    "rope.freq_base": 500000.0,
    "vocab_size": 128256,
}
"""Metadata of a GGUF of meta-llama/Llama-3.1-8B."""


def llama_q4_k_m() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Llama-3.1-8B in Q4_K_M as llama.cpp's quantize prints it: Q6_K for the output, some values and some downs."""
    found = {
        "token_embd.weight": ("Q4_K", (128256, 4096)),
        "output.weight": ("Q6_K", (128256, 4096)),
        "output_norm.weight": ("F32", (4096,)),
        "rope_freqs.weight": ("F32", (64,)),
    }
    for layer in range(32):
        more = layer < 4 or layer >= 28 or (layer - 4) % 3 == 2
        for name, shape in {
            "attn_q": (4096, 4096),
            "attn_k": (1024, 4096),
            "attn_v": (1024, 4096),
            "attn_output": (4096, 4096),
            "ffn_gate": (14336, 4096),
            "ffn_up": (14336, 4096),
            "ffn_down": (4096, 14336),
        }.items():
            found[f"blk.{layer}.{name}.weight"] = ("Q6_K" if more and name in ("attn_v", "ffn_down") else "Q4_K", shape)
        for name in ("attn_norm", "ffn_norm"):
            found[f"blk.{layer}.{name}.weight"] = ("F32", (4096,))
    return found


def test_llama_31_8b_in_q4_k_m(tmp_path: Path) -> None:
    """Each tensor counts with its own type, 4.58 GiB in all as llama.cpp prints it, and the shapes are the model's."""
    write(tmp_path / "llama.gguf", "llama", {**LLAMA, "general.file_type": 15}, llama_q4_k_m(), vocabulary=128256)
    found = read(tmp_path, "llama.gguf")
    assert total(found) == bytes_of(llama_q4_k_m())
    assert round(total(found) / 2**30, 2) == 4.58
    assert (found.storage.quantized.name, found.storage.evidence) == ("gguf:q4_k_m", "header")
    model, published = found.model, catalog_model("meta-llama/Llama-3.1-8B-Instruct")
    assert model.num_parameters == published.num_parameters == 8_030_261_248
    assert [layer.caches for layer in model.layers] == [layer.caches for layer in published.layers]


def test_file_is_weighed_for_llama_cpp(tmp_path: Path) -> None:
    """A request for the file is answered, with the bytes of its header."""
    write(tmp_path / "llama.gguf", "llama", {**LLAMA, "general.file_type": 15}, llama_q4_k_m())
    request = {"model": {"path": "llama.gguf"}, "engine": {"name": "llama.cpp"}, "hardware": {"gpu": "RTX 4090"}}
    told = answer(request, by=packaged(Sources(model_root=tmp_path)))
    assert isinstance(told, Recommendation)
    assert (told.verdict, told.model.weight_format, told.evidence.weights) == ("fits", "gguf:q4_k_m", "header")
    assert told.support.engine.level == "native"


def test_a_large_header_is_read_soon_and_no_tensor(tmp_path: Path, reads: list[tuple[int, int]]) -> None:
    """A vocabulary of 128,256 tokens takes no two seconds, and behind the header no more than a few pages are read."""
    write(tmp_path / "llama.gguf", "llama", LLAMA, llama_q4_k_m(), vocabulary=128256)
    began = time.process_time()
    read(tmp_path, "llama.gguf")
    assert time.process_time() - began < 2
    header = (tmp_path / "llama.gguf").stat().st_size - bytes_of(llama_q4_k_m())
    assert max(offset + length for offset, length in reads) <= header + 2**14


SMALL = {
    "block_count": 2,
    "context_length": 4096,
    "embedding_length": 256,
    "feed_forward_length": 512,
    "attention.head_count": 4,
    "attention.head_count_kv": 2,
    "attention.key_length": 64,
    "attention.value_length": 64,
}


def decoder(
    *,
    attention: Mapping[str, tuple[int, ...]] | None = None,
    feed_forward: Mapping[str, tuple[int, ...]],
    tied: bool = False,
) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Two layers with 4 heads of 64, in Q8_0, norms in F32."""
    usual = {"attn_q": (256, 256), "attn_k": (128, 256), "attn_v": (128, 256), "attn_output": (256, 256)}
    found: dict[str, tuple[str, tuple[int, ...]]] = {
        "token_embd.weight": ("Q8_0", (64, 256)),
        "output_norm.weight": ("F32", (256,)),
    }
    if not tied:
        found["output.weight"] = ("Q8_0", (64, 256))
    for layer in range(2):
        for name, shape in {**(usual if attention is None else attention), **feed_forward}.items():
            suffix = "" if "." in name else ".weight"
            found[f"blk.{layer}.{name}{suffix}"] = ("F32" if shape[-1] % 32 or len(shape) == 1 else "Q8_0", shape)
        for name in ("attn_norm", "ffn_norm"):
            found[f"blk.{layer}.{name}.weight"] = ("F32", (256,))
    return found


GATED = {"ffn_gate": (512, 256), "ffn_up": (512, 256), "ffn_down": (256, 512)}
EXPERTS = {
    "ffn_gate_inp": (4, 256),
    "ffn_gate_exps": (4, 128, 256),
    "ffn_up_exps": (4, 128, 256),
    "ffn_down_exps": (4, 256, 128),
}
ROUTED = {"expert_count": 4, "expert_used_count": 2, "expert_feed_forward_length": 128}
USUAL = {"attn_q": (256, 256), "attn_k": (128, 256), "attn_v": (128, 256), "attn_output": (256, 256)}
BIASED = {**USUAL, "attn_q.bias": (256,), "attn_k.bias": (128,), "attn_v.bias": (128,)}
NORMED = {**USUAL, "attn_q_norm": (64,), "attn_k_norm": (64,)}
AROUND = {"post_attention_norm": (256,), "post_ffw_norm": (256,)}
LATENT = {
    "attn_q_a": (128, 256),
    "attn_q_a_norm": (128,),
    "attn_q_b": (4 * 96, 128),
    "attn_kv_a_mqa": (64 + 32, 256),
    "attn_kv_a_norm": (64,),
    "attn_k_b": (4, 64, 64),
    "attn_v_b": (4, 64, 64),
    "attn_output": (256, 256),
}
LATENT_NUMBERS = {
    "attention.q_lora_rank": 128,
    "attention.kv_lora_rank": 64,
    "attention.head_count_kv": 1,
    "attention.key_length": 96,
    "attention.value_length": 64,
    "attention.key_length_mla": 96,
    "attention.value_length_mla": 64,
    "rope.dimension_count": 32,
}
SHARED = {"ffn_gate_shexp": (128, 256), "ffn_up_shexp": (128, 256), "ffn_down_shexp": (256, 128)}

FILES = [
    # general.architecture, the family it is read as, metadata beside SMALL, tensors
    ("llama", "llama", {}, decoder(feed_forward=GATED)),
    ("llama", "llama", {}, decoder(feed_forward=GATED, tied=True)),
    ("llama", "mixtral", {**ROUTED, "feed_forward_length": 128}, decoder(feed_forward=EXPERTS)),
    ("qwen2", "qwen2", {}, decoder(attention=BIASED, feed_forward=GATED)),
    ("qwen3", "qwen3", {}, decoder(attention=NORMED, feed_forward=GATED)),
    ("qwen3moe", "qwen3_moe", ROUTED, decoder(attention=NORMED, feed_forward=EXPERTS)),
    (
        "qwen2moe",
        "qwen2_moe",
        {**ROUTED, "expert_shared_feed_forward_length": 128},
        decoder(attention=BIASED, feed_forward={**EXPERTS, **SHARED, "ffn_gate_inp_shexp": (256,)}),
    ),
    ("gemma", "gemma", {}, decoder(feed_forward=GATED, tied=True)),
    (
        "gemma2",
        "gemma2",
        {"attention.sliding_window": 1024},
        decoder(attention={**USUAL, **AROUND}, feed_forward=GATED, tied=True),
    ),
    (
        "gemma3",
        "gemma3",
        {"attention.sliding_window": 1024},
        decoder(attention={**NORMED, **AROUND}, feed_forward=GATED, tied=True),
    ),
    (
        "phi3",
        "phi3",
        {},
        decoder(
            attention={"attn_qkv": (512, 256), "attn_output": (256, 256)},
            feed_forward={"ffn_up": (1024, 256), "ffn_down": (256, 512)},
        ),
    ),
    (
        "gpt-oss",
        "gpt_oss",
        {**ROUTED, "attention.sliding_window": 128},
        decoder(
            attention={**BIASED, "attn_output.bias": (256,), "attn_sinks": (4,)},
            feed_forward={
                **EXPERTS,
                "ffn_gate_inp.bias": (4,),
                "ffn_gate_exps.bias": (4, 128),
                "ffn_up_exps.bias": (4, 128),
                "ffn_down_exps.bias": (4, 256),
            },
        ),
    ),
    (
        "deepseek2",
        "deepseek_v3",
        {**LATENT_NUMBERS, **ROUTED, "expert_shared_count": 1},
        decoder(attention=LATENT, feed_forward={**EXPERTS, **SHARED, "exp_probs_b.bias": (4,)}),
    ),
    (
        "deepseek2",
        "deepseek_v2",
        {**LATENT_NUMBERS, **ROUTED, "expert_shared_count": 1},
        decoder(attention=LATENT, feed_forward={**EXPERTS, **SHARED}),
    ),
    (
        "glm4moe",
        "glm4_moe",
        {**ROUTED, "expert_shared_count": 1},
        decoder(
            attention={**NORMED, **{name: shape for name, shape in BIASED.items() if "bias" in name}},
            feed_forward={**EXPERTS, **SHARED, "exp_probs_b.bias": (4,)},
        ),
    ),
]


@pytest.mark.parametrize(("architecture", "family", "numbers", "tensors"), FILES)
def test_architectures_are_read_as_their_families(
    tmp_path: Path, architecture: str, family: str, numbers: Mapping[str, Any], tensors: Shapes
) -> None:
    """Every tensor of a small file finds its place in the family, and every byte is counted."""
    write(tmp_path / "small.gguf", architecture, {**SMALL, **numbers}, tensors)
    found = read(tmp_path, "small.gguf")
    assert found.model.family == family
    assert found.storage.evidence == "header"
    assert sum(held(found).values()) == pytest.approx(bytes_of(tensors), abs=len(tensors))
    assert found.model.num_parameters == sum(int(np.prod(shape)) for _, shape in tensors.values())


def test_every_architecture_has_a_family_and_every_type_a_block() -> None:
    """What the rows name is covered, and the blocks are those of the gguf package."""
    rows, blocks = load_gguf_files(), load_gguf().blocks
    for row in rows.architectures.values():
        assert {row.family, row.experts or row.family, row.routing_bias or row.family} <= set(covered_architectures())
        assert row.name in gguf.MODEL_ARCH_NAMES.values()
    for number, name in rows.types.items():
        kind = gguf.GGMLQuantizationType(number)
        assert kind.name.lower() == name
        assert (blocks[name].elements, blocks[name].bytes) == gguf.GGML_QUANT_SIZES[kind]
    for number, name in rows.file_types.items():
        own = gguf.LlamaFileType(number).name.removeprefix("MOSTLY_").lower()
        assert name == f"gguf:{own}" or f"gguf:{own}" not in load_gguf().mixtures


def test_layers_for_multi_token_prediction_are_not_served(tmp_path: Path) -> None:
    """GLM-4.5 counts such a layer with the others: it is in the file and not in the model."""
    routed = decoder(attention={**NORMED, **BIASED}, feed_forward={**EXPERTS, **SHARED, "exp_probs_b.bias": (4,)})
    served = {name: said for name, said in routed.items() if "blk.1." not in name}
    numbers = {**SMALL, **ROUTED, "expert_shared_count": 1, "nextn_predict_layers": 1}
    write(tmp_path / "glm.gguf", "glm4moe", numbers, {**routed, "blk.1.nextn.eh_proj.weight": ("Q8_0", (256, 512))})
    found = read(tmp_path, "glm.gguf")
    assert found.model.num_hidden_layers == 1
    assert total(found) == pytest.approx(bytes_of(served), abs=len(served))


def test_without_a_file_type_the_commonest_type_names_the_format(tmp_path: Path) -> None:
    """A file that does not call itself anything is called by what most of it is."""
    write(tmp_path / "small.gguf", "llama", SMALL, decoder(feed_forward=GATED))
    assert read(tmp_path, "small.gguf").storage.quantized.name == "gguf:q8_0"


def test_a_config_beside_the_file_is_taken(tmp_path: Path) -> None:
    """An architecture without a row is read by the config.json beside the file."""
    write(tmp_path / "small.gguf", "rwkv9", SMALL, decoder(feed_forward=GATED))
    with pytest.raises(UnsupportedArchitectureError, match=r"general\.architecture 'rwkv9' is not covered") as told:
        read(tmp_path, ".")
    assert "qwen3moe" in (told.value.hint or "")
    (tmp_path / "config.json").write_text(
        '{"architectures": ["LlamaForCausalLM"], "hidden_size": 256, "intermediate_size": 512, "vocab_size": 64,'
        '"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "dtype": "bfloat16"}'
    )
    assert total(read(tmp_path, ".")) == bytes_of(decoder(feed_forward=GATED))


def test_a_model_in_parts_is_one(tmp_path: Path) -> None:
    """The first part names the model, and all the others have to be there."""
    tensors = decoder(feed_forward=GATED)
    names = list(tensors)
    for number in range(3):
        part = {name: tensors[name] for name in names[number::3]}
        numbers = {**SMALL, "split.count": 3} if number == 0 else {"split.count": 3}
        write(tmp_path / f"big-Q8_0-{number + 1:05}-of-00003.gguf", "llama", numbers, part)
    assert total(read(tmp_path, ".")) == total(read(tmp_path, "big-Q8_0-00001-of-00003.gguf")) == bytes_of(tensors)
    with pytest.raises(ModelUnreadableError, match="it is not the first of its 3 parts"):
        read(tmp_path, "big-Q8_0-00002-of-00003.gguf")
    (tmp_path / "big-Q8_0-00003-of-00003.gguf").rename(tmp_path / "third.part")
    with pytest.raises(ModelUnreadableError, match=r"big-Q8_0-00003-of-00003\.gguf is not there"):
        read(tmp_path, ".")


def test_several_models_in_a_folder_are_told_apart_by_format(tmp_path: Path) -> None:
    """A folder of quantizations is no model until one is named; the encoder of images beside it is none."""
    for name, kind in (("m-Q8_0.gguf", 7), ("m-Q4_K_M.gguf", 15), ("m-IQ4_XS.gguf", 30), ("mmproj-m.gguf", 1)):
        write(tmp_path / name, "llama", {**SMALL, "general.file_type": kind}, decoder(feed_forward=GATED))
    with pytest.raises(ModelUnreadableError, match="several GGUF models"):
        read(tmp_path, ".")
    with pytest.raises(ModelUnreadableError, match="several GGUF models"):
        read(tmp_path, ".", weight_format="bf16")
    assert read(tmp_path, ".", weight_format="gguf:q8_0").storage.quantized.name == "gguf:q8_0"
    assert read(tmp_path, ".", weight_format="gguf:q4_k_m").storage.quantized.name == "gguf:q4_k_m"


def _string(text: bytes) -> bytes:
    return struct.pack("<Q", len(text)) + text


def _entry(key: bytes, kind: int, value: bytes) -> bytes:
    return _string(key) + struct.pack("<I", kind) + value


def _info(name: bytes, shape: tuple[int, ...], kind: int, offset: int) -> bytes:
    return _string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, kind, offset)


def _file(*parts: bytes, tensors: int = 0, entries: int = 0, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, tensors, entries) + b"".join(parts)


HOSTILE = [
    (b"", "ends within"),
    (b"GGML" + b"\0" * 64, "does not begin with GGUF"),
    (_file(version=1), "version 1"),
    (struct.pack("<4sI", b"GGUF", 3 << 24) + b"\0" * 64, "version"),
    (_file(tensors=2**63), "more than any model"),
    (_file(entries=2**40), "more than any model"),
    (_file(entries=1), "ends within"),
    (_file(_entry(b"a" * 600, 4, b"\0" * 4), entries=1), "longer than 512"),
    (_file(struct.pack("<Q", 2**63), entries=1), "longer than 512"),
    (_file(_entry(b"\xff\xfe", 4, b"\0" * 4), entries=1), "not UTF-8"),
    (_file(_entry(b"a\n", 4, b"\0" * 4), entries=1), "cannot be printed"),
    (_file(_entry(b"a", 4, b"\0" * 4) * 2, entries=2), "twice"),
    (_file(_entry(b"a", 13, b"\0" * 4), entries=1), "kind 13"),
    (_file(_entry(b"a", 8, struct.pack("<Q", 2**62)), entries=1), "ends within"),
    (_file(_entry(b"a", 9, struct.pack("<IQ", 0, 2**60)), entries=1), "longer than any vocabulary"),
    (_file(_entry(b"a", 9, struct.pack("<IQ", 8, 2**21)), entries=1), "ends within"),
    (_file(_entry(b"a", 9, struct.pack("<IQ", 12, 2**21)), entries=1), "ends within"),
    (_file(_entry(b"a", 9, struct.pack("<IQ", 9, 1)), entries=1), "kind 9"),
    (_file(_entry(b"general.alignment", 4, struct.pack("<I", 0)), entries=1), "power of two"),
    (_file(_entry(b"general.alignment", 4, struct.pack("<I", 48)), entries=1), "power of two"),
    (_file(_entry(b"general.alignment", 8, _string(b"32")), entries=1), "power of two"),
    (_file(_info(b"a", (), 0, 0), tensors=1), "0 dimensions"),
    (_file(_info(b"a", (1,) * 5, 0, 0), tensors=1), "5 dimensions"),
    (_file(_info(b"a", (32,), 4, 0), tensors=1), "type that is not known"),
    (_file(_info(b"a", (0,), 0, 0), tensors=1), "cannot be of type"),
    (_file(_info(b"a", (33,), 8, 0), tensors=1), "cannot be of type q8_0"),
    (_file(_info(b"a", (2**63, 2**63, 2**63), 0, 0), tensors=1), "its tensors end at byte"),
    (_file(_info(b"a", (8,), 0, 32), tensors=1), "not where the tensor before it ends"),
    (_file(_info(b"a", (8,), 0, 0), _info(b"b", (8,), 0, 0), tensors=2), "not where the tensor before it ends"),
    (_file(_info(b"a", (8,), 0, 0), _info(b"a", (8,), 0, 32), tensors=2), "twice"),
    (_file(_info(b"a", (2**20,), 0, 0), tensors=1), "its tensors end at byte"),
]


@pytest.mark.parametrize(("text", "why"), HOSTILE)
def test_header_that_cannot_be_true_is_refused_quickly(tmp_path: Path, text: bytes, why: str) -> None:
    """Lengths, counts, types and places are looked at before they are trusted."""
    (tmp_path / "bad.gguf").write_bytes(text)
    began = time.process_time()
    with pytest.raises(ModelUnreadableError, match=rf"bad\.gguf: its header is damaged: .*{why}"):
        read_gguf_header(open_folder(tmp_path, tmp_path), "bad.gguf")
    assert time.process_time() - began < 1


def test_strings_without_end_are_not_gone_through(tmp_path: Path) -> None:
    """A vocabulary in a hole of a terabyte ends with the strings that it may have."""
    path = tmp_path / "hole.gguf"
    path.write_bytes(_file(_entry(b"a", 9, struct.pack("<IQ", 8, 2**21)), entries=3))
    os.truncate(path, 2**40)
    began = time.process_time()
    with pytest.raises(ModelUnreadableError):
        read_gguf_header(open_folder(tmp_path, tmp_path), "hole.gguf")
    assert time.process_time() - began < 10


@given(st.binary(max_size=64), st.integers(min_value=0, max_value=4), st.integers(min_value=0, max_value=4))
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, text: bytes, tensors: int, entries: int
) -> None:
    """Whatever follows the counts, it is read or refused."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "fuzz.gguf").write_bytes(_file(text, tensors=tensors, entries=entries))
    with contextlib.suppress(ModelUnreadableError):
        read_gguf_header(open_folder(folder, folder), "fuzz.gguf")


@given(st.integers(min_value=0, max_value=2**20), st.binary(min_size=1, max_size=8))
def test_no_damage_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, place: int, damage: bytes) -> None:
    """A good file with some bytes changed is read or refused."""
    folder = tmp_path_factory.getbasetemp() / "damaged"
    path = folder / "small.gguf"
    if not folder.exists():
        folder.mkdir()
        write(folder / "good", "llama", SMALL, decoder(feed_forward=GATED), vocabulary=4)
    good = bytearray((folder / "good").read_bytes())
    begin = place % 4096
    good[begin : begin + len(damage)] = damage
    path.write_bytes(good)
    with contextlib.suppress(ModelUnreadableError, UnsupportedArchitectureError):
        read(folder, "small.gguf")
