"""What other arguments, other memory and fewer GPUs would do."""

import pytest

from schemas.parse import parse_request
from sizing.balance import excess_percent
from sizing.catalog.catalog import load_catalog
from sizing.catalog.error_correction import bytes_switched
from sizing.catalog.gpus import GIB, MIB, load_gpus
from sizing.catalog.machines import gpus_per_machine
from sizing.estimate_request import estimate
from sizing.families import read_model
from sizing.other_memory import usable_by_the_box, usable_with_ecc_switched
from sizing.relief import relief
from sizing.spare import half_suffices

from .weighing import unquantized, weigh


def test_fewer_sequences_shrink_the_sampler_down_to_the_forward_pass() -> None:
    """Qwen3-8B in 0.7 of an RTX 4090, on vLLM 0.19: 256 rows of logits in place of one.

    The profile's sampler takes 15.3 bytes x 256 x 151,936, its forward pass 2.5 bytes x 2,048 tokens x
    (3 x 12,288 + 2 x 4,096), which remains.
    """
    found = relief(weigh("Qwen/Qwen3-8B", "RTX 4090", engine={"gpu_memory_utilization": 0.7}))
    assert found.least_max_num_seqs == 1
    assert found.bytes_freed_by_max_num_seqs == 153 * 256 * 151_936 // 10 - 25 * 2048 * (3 * 12_288 + 2 * 4_096) // 10


def test_graphs_are_freed_where_the_budget_counts_them() -> None:
    """vLLM 0.27 counts graphs in its budget, 0.42 GiB by its profile; 0.19 leaves them beside it."""
    freed = [
        relief(weigh("Qwen/Qwen3-8B", "RTX 4090", engine={"gpu_memory_utilization": 0.7, "version": version}))
        for version in ("0.27.1", "0.19.0")
    ]
    assert [each.bytes_freed_by_enforce_eager for each in freed] == [450_971_566, 0]


def test_the_sufficient_utilization_is_the_least_that_holds_the_need() -> None:
    """Three sequences of Qwen3-8B need 19.4 of 23.56 GiB: 0.8 does not hold them, 0.83 does, as asking again tells."""
    workload = {"concurrent_sequences": 3}
    short = weigh("Qwen/Qwen3-8B", "RTX 4090", engine={"gpu_memory_utilization": 0.8}, workload=workload)
    assert short.verdict == "does_not_fit"
    assert relief(short).sufficient_utilization_percent == 83
    for fraction, verdicts in ((0.83, ("fits", "tight")), (0.82, ("does_not_fit",))):
        engine = {"gpu_memory_utilization": fraction}
        assert weigh("Qwen/Qwen3-8B", "RTX 4090", engine=engine, workload=workload).verdict in verdicts


def test_no_utilization_suffices_where_the_rest_of_the_gpu_is_taken() -> None:
    """Six sequences need 22.8 of 23.56 GiB, and context and graphs 1.45 beside them: no share holds both."""
    short = weigh("Qwen/Qwen3-8B", "RTX 4090", workload={"concurrent_sequences": 6})
    assert short.verdict == "does_not_fit"
    assert 22.5 * GIB < short.per_gpu.total_bytes < 23.56 * GIB
    assert relief(short).sufficient_utilization_percent == 0


def test_no_argument_helps_where_weights_and_cache_exceed_the_gpu() -> None:
    """Qwen3-32B in 16 bit, 61 GiB, on 23.56 GiB: nothing is computed, whatever its sampler takes."""
    assert relief(weigh("Qwen/Qwen3-32B", "RTX 4090")).bytes_freed_by_max_num_seqs == 0


def test_what_fits_needs_no_relief() -> None:
    """Nothing is computed for a deployment that fits, but how many sequences each replica is asked for."""
    workload, parallelism = {"concurrent_sequences": 5}, {"data_parallel_size": 2}
    found = relief(weigh("Qwen/Qwen3-8B", "H100-SXM-80GB", 2, workload=workload, parallelism=parallelism))
    assert found.least_max_num_seqs == 3
    assert found.bytes_freed_by_max_num_seqs == found.bytes_freed_by_enforce_eager == 0
    assert found.sufficient_utilization_percent == 0


@pytest.mark.parametrize("model", ["Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B", "meta-llama/Llama-3.1-70B-Instruct"])
@pytest.mark.parametrize("gpu", ["RTX 3090", "L40S", "H100-SXM-80GB"])
def test_what_half_of_the_gpus_hold_does_fit_on_half(model: str, gpu: str) -> None:
    """Wherever half of the GPUs are said to suffice, weighing on half of them agrees."""
    for count in (2, 4, 8):
        if half_suffices(weigh(model, gpu, count)):
            assert weigh(model, gpu, count // 2).verdict == "fits"


def test_half_of_one_gpu_or_of_replicas_is_not_offered() -> None:
    """One GPU cannot be halved, replicas are there to serve more; eight for a model of 15 GiB can."""
    assert not half_suffices(weigh("Qwen/Qwen3-8B", "H100-SXM-80GB"))
    assert not half_suffices(weigh("Qwen/Qwen3-8B", "H100-SXM-80GB", 8, parallelism={"data_parallel_size": 4}))
    assert half_suffices(weigh("Qwen/Qwen3-8B", "H100-SXM-80GB", 8))


def test_the_outer_stages_of_a_pipeline_hold_the_vocabulary() -> None:
    """Qwen3-8B in four stages of nine layers: the first and last have 151,936 x 4,096 more.

    A layer has 2 x 4,096 x 4,096 in Q and O, 2 x 4,096 x 1,024 in K and V, 3 x 4,096 x 12,288 in its feed-forward.
    """
    layers = 9 * (2 * 4096 * 4096 + 2 * 4096 * 1024 + 3 * 4096 * 12_288)
    vocabulary = 151_936 * 4096
    expected = (layers + vocabulary) / (layers + vocabulary / 2) - 1
    deployment = weigh("Qwen/Qwen3-8B", "RTX 4090", 4, parallelism={"pipeline_parallel_size": 4}).deployment
    assert deployment.model
    assert excess_percent(deployment, deployment.model) == int(100 * expected)


def test_one_stage_is_even() -> None:
    """Without a pipeline there is nothing to compare."""
    deployment = weigh("Qwen/Qwen3-8B", "RTX 4090").deployment
    assert deployment.model
    assert excess_percent(deployment, deployment.model) == 0


def test_the_box_promises_more_than_a_process_sees() -> None:
    """Nine tenths of 80 GiB for an H100 80 GB, of which a process sees 79.18."""
    found = weigh("Qwen/Qwen3-8B", "H100-SXM-80GB")
    assert usable_by_the_box(found.deployment) == 80 * GIB * 9 // 10
    assert found.per_gpu.usable_bytes == int(int(79.18 * GIB) * 0.9)


def test_a_slice_has_no_box() -> None:
    """Of a MIG slice nobody promises the memory of the whole GPU, nor can error correction be switched for it alone."""
    found = weigh("Qwen/Qwen3-8B", {"gpu": "H100-SXM-80GB", "mig": "3g.40gb"})
    assert usable_by_the_box(found.deployment) == found.per_gpu.usable_bytes
    assert usable_with_ecc_switched(found.deployment) is None


def test_error_correction_takes_a_sixteenth_of_an_a40() -> None:
    """Off it shows 49,140 MiB in place of 46,068, of which the driver keeps 420 MiB and 7 per mille."""
    switched = bytes_switched(load_gpus().find("A40"))
    assert switched == 49_140 * MIB - 440_401_920 - -(-49_140 * MIB * 7 // 1000)
    usable = usable_with_ecc_switched(weigh("Qwen/Qwen3-8B", "A40").deployment)
    assert usable == int(switched * 0.9)


def test_on_an_rtx_a6000_error_correction_would_take_memory() -> None:
    """It is off as shipped, so that the other way is less; a card without a row has no other way."""
    gpus = load_gpus()
    switched = bytes_switched(gpus.find("RTX A6000"))
    assert switched
    assert switched < gpus.find("RTX A6000").memory_bytes
    assert bytes_switched(gpus.find("H100-SXM-80GB")) is None


@pytest.mark.parametrize(
    ("gpu", "link", "together"),
    [
        ("RTX 4090", "none", 8),
        ("RTX 3090", "bridge", 8),
        ("A100 PCIe 80GB", "bridge", 8),
        ("H100-SXM-80GB", "fabric", 8),
        ("GB200", "fabric", 72),
        ("GB10 (DGX Spark)", "none", 1),
    ],
)
def test_what_joins_gpus_and_how_many(gpu: str, link: str, together: int) -> None:
    """PCIe alone, a bridge in a slot, a fabric on a baseboard or in a rack, as NVIDIA's data sheets say."""
    row = load_gpus().find(gpu)
    assert (row.link, gpus_per_machine(row)) == (link, together)


def test_models_tell_latents_and_layers_for_speculation() -> None:
    """DeepSeek-V3 keeps latents and has 13.5 B parameters for multi-token prediction beside 671.0 B."""
    deepseek, qwen = unquantized("deepseek-ai/DeepSeek-V3"), unquantized("Qwen/Qwen3-8B")
    assert deepseek
    assert qwen
    assert (deepseek.keeps_latents, qwen.keeps_latents) == (True, False)
    assert round(deepseek.multi_token_prediction.num_parameters / 1e9, 1) == 13.5
    assert qwen.multi_token_prediction.num_parameters == 0


def test_a_scaled_rotation_allows_more_positions() -> None:
    """Qwen3-8B allows 40,960 positions, and 131,072 with the YaRN factor of 4 its authors give."""
    config = load_catalog().models.find("Qwen/Qwen3-8B").config()
    scaled = {
        **config,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32_768},
    }
    assert (read_model(config).longest_position, read_model(scaled).longest_position) == (40_960, 131_072)


def test_a_bare_count_has_nothing_to_relieve() -> None:
    """By the rule of thumb there are neither activations nor sequences to speak of."""
    value = {"model": {"num_parameters": 70 * 10**9}, "weight_format": "bf16", "hardware": {"gpu": "RTX 4090"}}
    found = relief(estimate(parse_request(value), load_catalog()))
    assert found.bytes_freed_by_max_num_seqs == found.sufficient_utilization_percent == 0
