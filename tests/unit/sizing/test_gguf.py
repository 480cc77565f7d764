"""GGUF: bytes of blocks against ggml's own structs, of whole models against what llama.cpp printed."""

import pytest

from schemas.vocabulary import WEIGHT_FORMATS, WeightFormat
from sizing.catalog.formats import load_formats
from sizing.catalog.gguf import load_gguf
from sizing.catalog.models import catalog_model
from sizing.deployment import Sizes
from sizing.families import read_model
from sizing.storage import storage_as_asked
from sizing.weights import Placement, weights_per_stage
from tests.unit.sizing.test_config import LLAMA
from tests.unit.sizing.weighing import weigh

ONE_GPU = Sizes(tensor_parallel_size=1, pipeline_parallel_size=1, data_parallel_size=1, enable_expert_parallel=False)


def tensor_bytes(name: str, weight_format: WeightFormat) -> dict[str, int]:
    """Bytes of each part of the file: a vocabulary without padding, and no tables of rotary embeddings."""
    model, formats = catalog_model(name), load_formats()
    storage = storage_as_asked(model, formats.weight_format(weight_format), formats.weight_format("bf16"))
    placed = Placement(storage=storage, sizes=ONE_GPU, vocabulary_padding=1)
    return {part: size for part, size in weights_per_stage(model, placed)[0].items() if part != "rotary"}


def test_every_gguf_format_of_the_contract_can_be_sized() -> None:
    """Each name of the contract has a mixture, and each type and set of layers that a mixture names has a row."""
    gguf = load_gguf()
    assert set(gguf.mixtures) == {name for name in WEIGHT_FORMATS if name.startswith("gguf:")}
    for mixture in gguf.mixtures.values():
        named = {mixture.type, mixture.output, mixture.embedding or mixture.type, *(r.type for r in mixture.tensors)}
        assert named <= set(gguf.blocks)
        assert {rule.layers for rule in mixture.tensors if rule.layers} <= set(gguf.layers)


@pytest.mark.parametrize(
    ("name", "bits_per_weight"),
    # As ggml prints them: bytes of a block times 8 over its elements.
    [
        ("q4_0", 4.5),
        ("q8_0", 8.5),
        ("q2_k", 2.625),
        ("q3_k", 3.4375),
        ("q4_k", 4.5),
        ("q5_k", 5.5),
        ("q6_k", 6.5625),
        ("iq2_xxs", 2.0625),
        ("iq2_xs", 2.3125),
        ("iq3_xxs", 3.0625),
        ("iq3_s", 3.4375),
        ("iq4_xs", 4.25),
        ("iq4_nl", 4.5),
    ],
)
def test_blocks_have_the_bits_a_weight_that_ggml_names(name: str, bits_per_weight: float) -> None:
    """A row of 1024 weights takes 1024 times the type's bits a weight."""
    assert load_gguf().blocks[name].bits_of(1, 1024) == 1024 * bits_per_weight


@pytest.mark.parametrize(
    ("model", "weight_format", "host_mib", "gpu_mib"),
    # Buffer sizes in llama.cpp's start-up logs with all layers on the GPU; the token embedding stays in host memory,
    # and is there twice where it is the output matrix too.
    [
        ("meta-llama/Llama-3.1-8B-Instruct", "gguf:q4_k_m", 281.81, 4403.49),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", "gguf:q8_0", 552.23, 7165.44),
        ("Qwen/Qwen2.5-3B-Instruct", "gguf:q4_k_m", 243.43, 1834.82),
    ],
)
def test_models_take_what_llama_cpp_printed(
    model: str, weight_format: WeightFormat, host_mib: float, gpu_mib: float
) -> None:
    """Weights on the GPU and the embedding in host memory, to the hundredth of a MiB."""
    assert tensor_bytes(model, weight_format)["embedding"] / 2**20 == pytest.approx(host_mib, abs=0.01)
    found = weigh(model, "H100-SXM-80GB", weight_format=weight_format, engine={"name": "llama.cpp"})
    assert found.per_gpu.weights_bytes / 2**20 == pytest.approx(gpu_mib, abs=0.01)


def test_whole_files_have_their_published_size() -> None:
    """The files of one model are its tensors and one and the same header, in which the vocabulary is, to the byte.

    The i-quant was made with an importance matrix, which spares the first eighth of ffn_down its bits.
    """
    # Source: bartowski/Meta-Llama-3.1-8B-Instruct-GGUF.
    files: dict[WeightFormat, int] = {
        "gguf:q4_k_m": 4_920_739_232,
        "gguf:q5_k_m": 5_732_992_416,
        "gguf:q8_0": 8_540_775_840,
        "gguf:iq4_xs": 4_447_667_616,
    }
    tensors = {name: sum(tensor_bytes("meta-llama/Llama-3.1-8B-Instruct", name).values()) for name in files}
    tensors["gguf:iq4_xs"] -= 4 * 4096 * 14336 // 256 * (176 - 136)
    (header,) = {files[name] - tensors[name] for name in files}
    assert 0 < header < 8_000_000


def test_rows_that_blocks_do_not_divide_take_another_type() -> None:
    """Rows of 64 are not made of blocks of 256, so q4_k gives way to q5_0 and q6_k to q8_0; rows of 20 to f16."""
    gguf = load_gguf()
    assert [gguf.block(name, 64).type for name in ("q4_k", "q6_k", "iq4_xs", "q3_k")] == [
        "q5_0",
        "q8_0",
        "iq4_nl",
        "q4_0",
    ]
    assert gguf.block("q4_k", 20).type == "f16"
    found = weigh({"config": LLAMA}, "RTX 3090", weight_format="gguf:q6_k")
    assert found.deployment.weight_format.kind == "gguf"


def test_the_layers_that_get_more_bits() -> None:
    """Of 32 layers the first and last four, and every third between: 6, 9, 12, 15, 18, 21, 24 and 27."""
    more = load_gguf().layers["more_bits"]
    assert [index for index in range(32) if more.holds(index, 32)] == [
        *range(4),
        *range(6, 28, 3),
        *range(28, 32),
    ]


def test_sixteen_bit_containers_keep_a_16_bit_kv_cache() -> None:
    """A file in F16 is not quantized, and the cache follows the model."""
    found = weigh({"config": LLAMA}, "RTX 3090", weight_format="gguf:f16")
    assert not found.deployment.weight_format.is_quantized
    assert found.deployment.kv_cache_dtype.bits == 16


def test_eight_experts_get_more_bits_in_attention() -> None:
    """llama.cpp stores keys and values of models of eight experts in q8_0, and the attention's output in q5_k."""
    model, formats = catalog_model("mistralai/Mixtral-8x7B-v0.1"), load_formats()
    storage = storage_as_asked(model, formats.weight_format("gguf:q4_k_m"), formats.weight_format("bf16"))
    types = {
        tensor.module: storage.format_of(tensor, f"model.layers.10.{tensor.module}").block
        for tensor in model.layers[10].tensors
    }
    named = {module.rpartition(".")[2]: block.type for module, block in types.items() if block}
    assert (named["v_proj"], named["k_proj"], named["o_proj"], named["q_proj"]) == ("q8_0", "q8_0", "q5_k", "q4_k")
    assert named["gate"] == named["input_layernorm"] == "f32"


def test_a_small_model_is_read() -> None:
    """The mixtures apply to any model that a family reads."""
    model, formats = read_model(LLAMA), load_formats()
    for name in load_gguf().mixtures:
        storage = storage_as_asked(model, formats.weight_format(name), formats.weight_format("bf16"))
        placed = Placement(storage=storage, sizes=ONE_GPU, vocabulary_padding=1)
        assert sum(weights_per_stage(model, placed)[0].values()) > 0


def test_gemma_4_projects_to_its_layers_in_bf16() -> None:
    """Before its layers, Gemma-4-E2B has two tables in q6_k where q4_k_m is asked for, and one matrix left in bf16.

    Source: llama.cpp, src/llama-quant.cpp: an embedding tied to the output is stored like one, and so are those of the
    layers; per_layer_model_proj is kept as it is.
    """
    tables = 262_144 * (1_536 + 8_960) * 210 // 256
    matrix = 8_960 * 1_536 * 2
    assert tensor_bytes("google/gemma-4-E2B-it", "gguf:q4_k_m")["embedding"] == tables + matrix
