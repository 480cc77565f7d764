import pytest

from schemas.errors import InvalidRequestError
from sizing.catalog.formats import load_formats
from sizing.catalog.gpus import GIB
from sizing.detailed import stages_of
from sizing.parallelism import heads_per_rank, padded, stages
from tests.unit.sizing.test_config import LLAMA
from tests.unit.sizing.weighing import weigh


@pytest.mark.parametrize(
    ("name", "bits_of_a_1024_by_2048_matrix"),
    [
        ("fp32", 1024 * 2048 * 32),
        ("bf16", 1024 * 2048 * 16),
        # One 32-bit scale an output channel.
        ("fp8", 1024 * 2048 * 8 + 1024 * 32),
        # One 32-bit scale a block of 128 x 128.
        ("fp8-block", 1024 * 2048 * 8 + 8 * 16 * 32),
        ("mxfp8", 1024 * 2048 * 8 + 1024 * 64 * 8),
        # A 16-bit scale and a 4-bit zero point for 128 inputs.
        ("awq-int4", 1024 * 2048 * 4 + 1024 * 16 * 20),
        ("gptq-int4", 1024 * 2048 * 4 + 1024 * 16 * 20),
        ("nvfp4", 1024 * 2048 * 4 + 1024 * 128 * 8),
        ("mxfp4", 1024 * 2048 * 4 + 1024 * 64 * 8),
        ("bnb-nf4", 1024 * 2048 * 4 + 1024 * 32 * 32),
    ],
)
def test_formats_store_elements_and_scales(name: str, bits_of_a_1024_by_2048_matrix: int) -> None:
    """A matrix takes its elements' bits and one scale for each group, channel or block."""
    assert load_formats().weights[name].bits_of(1024, 2048) == bits_of_a_1024_by_2048_matrix  # type: ignore[index]


def test_every_format_has_a_source() -> None:
    """Each row says where its figures come from."""
    rows = load_formats()
    assert all(row.source for row in rows.weights.values())
    assert all(row.source for row in rows.kv_cache.values())


def test_quantized_formats_leave_embeddings_norms_and_output_in_16_bit() -> None:
    """The small Llama in AWQ: matrices in 4 bits with scales, all else at 2 bytes."""
    found = weigh({"config": LLAMA}, "RTX 3090", weight_format="awq-int4")
    plain = 2 * 256 * 64 * 2 + 2 * 2 * 64 * 2 + 64 * 2
    rows_by_columns = ((64, 64), (32, 64), (32, 64), (64, 64), (128, 64), (128, 64), (64, 128))
    packed = sum(rows * columns * 4 + rows * 20 for rows, columns in rows_by_columns) // 8
    assert found.per_gpu.weights_bytes == plain + 2 * packed


def test_a_checkpoints_own_list_and_group_size_are_used_as_published() -> None:
    """Qwen3-30B-A3B-FP8 is sized with 128 x 128 blocks; asked for in BF16, as its BF16 sibling."""
    published = weigh("Qwen/Qwen3-30B-A3B-FP8", "H200")
    assert published.deployment.weight_format.name == "fp8-block"
    in_bf16 = weigh("Qwen/Qwen3-30B-A3B-FP8", "H200", weight_format="bf16")
    assert in_bf16.per_gpu.weights_bytes == weigh("Qwen/Qwen3-30B-A3B", "H200").per_gpu.weights_bytes


def test_a_module_the_checkpoint_leaves_out_stays_in_16_bit() -> None:
    """Naming one projection of one layer adds back exactly its 16-bit bytes less its 8-bit ones."""
    quantization = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    whole = weigh({"config": {**LLAMA, "quantization_config": quantization}}, "RTX 4090")
    names = ["model.layers.1.self_attn.q_proj"]
    listed = {**quantization, "modules_to_not_convert": names}
    partly = weigh({"config": {**LLAMA, "quantization_config": listed}}, "RTX 4090")
    eight_bit = 64 * 64 + 4
    assert partly.per_gpu.weights_bytes - whole.per_gpu.weights_bytes == 64 * 64 * 2 - eight_bit


@pytest.mark.parametrize(("count", "works"), [(3, "1, 2, 4, 8"), (7, "1, 2, 4, 8"), (5, "1, 2, 4, 8")])
def test_an_indivisible_split_is_refused_with_the_sizes_that_work(count: int, works: str) -> None:
    """Heads that a rank count does not divide are a typed error naming the sizes that do."""
    with pytest.raises(InvalidRequestError) as caught:
        weigh("meta-llama/Llama-3.1-8B-Instruct", "H100-SXM-80GB", count)
    assert caught.value.field == "parallelism.tensor_parallel_size"
    assert works in (caught.value.hint or "")


def test_more_gpus_asked_than_there_are_is_refused() -> None:
    """Sizes that multiply to more than hardware.count are an error that says so."""
    with pytest.raises(InvalidRequestError, match="is 2"):
        weigh("Qwen/Qwen3-8B", "H200", 2, parallelism={"tensor_parallel_size": 4})


def test_heads_are_divided_or_copied() -> None:
    """8 heads on 4 ranks are 2 each; 4 key-value heads on 8 ranks are 1 each; 8 on 3 are refused."""
    assert heads_per_rank(8, 4, replicates=False) == 2
    assert heads_per_rank(4, 8, replicates=True) == 1
    with pytest.raises(InvalidRequestError):
        heads_per_rank(8, 3, replicates=True)
    with pytest.raises(InvalidRequestError):
        heads_per_rank(4, 8, replicates=False)


def test_pipeline_stages_cover_every_layer_once() -> None:
    """Left-over layers go to the stages before the last, as vLLM hands them out."""
    assert [len(stage) for stage in stages(61, 4)] == [15, 15, 16, 15]
    assert [index for stage in stages(61, 4) for index in stage] == list(range(61))
    with pytest.raises(InvalidRequestError):
        stages(2, 3)


def test_the_vocabulary_is_padded() -> None:
    """CodeLlama's 32,016 entries become 32,064 in vLLM."""
    assert padded(32_016, 64) == 32_064


def test_experts_are_sliced_or_spread() -> None:
    """Expert parallelism spreads whole experts: on 8 ranks the same bytes, 128 experts being a multiple of 8."""
    sliced = weigh(
        "Qwen/Qwen3-30B-A3B",
        "H100-SXM-80GB",
        8,
        parallelism={"tensor_parallel_size": 4, "data_parallel_size": 2},
    )
    spread = weigh(
        "Qwen/Qwen3-30B-A3B",
        "H100-SXM-80GB",
        8,
        parallelism={"tensor_parallel_size": 4, "data_parallel_size": 2, "enable_expert_parallel": True},
    )
    assert sliced.per_gpu.weights_bytes == spread.per_gpu.weights_bytes
    assert sliced.per_gpu.weights_bytes < 56.9 * GIB / 6


def test_tables_stay_in_host_memory() -> None:
    """llama.cpp leaves off the GPU what each token reads one row of: the embedding, and those of Gemma 4's layers.

    Gemma-4-E2B ties its output, of 262,144 x 1,536, to the embedding: that stays.  262,144 x 8,960 do not, at 2 bytes.
    """
    on_vllm, on_llama_cpp = (
        weigh("google/gemma-4-E2B-it", "H100 SXM5 80GB", weight_format="bf16", engine={"name": name})
        for name in ("vllm", "llama.cpp")
    )
    left = on_vllm.per_gpu.weights_bytes - on_llama_cpp.per_gpu.weights_bytes
    assert left == 262_144 * 8_960 * 2


def test_the_last_stage_holds_what_its_output_is_tied_to() -> None:
    """Of a tied embedding on two GPUs, llama.cpp holds one copy, on the second; of one that is not tied, none."""
    for tied in (True, False):
        found = weigh(
            {"config": {**LLAMA, "tie_word_embeddings": tied}},
            "RTX 3090",
            2,
            weight_format="bf16",
            engine={"name": "llama.cpp"},
        )
        assert found.deployment.model is not None
        first, last = (stage.parts for stage in stages_of(found.deployment, found.deployment.model))
        assert "embedding" not in first
        assert last.get("embedding", 0) == (256 * 64 * 2 if tied else 0)
        assert last.get("output", 0) == (0 if tied else 256 * 64 * 2)
