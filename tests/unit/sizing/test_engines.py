"""Engine profiles: which one a release gets, what it assumes, and what its budget counts."""

import pytest

from schemas.vocabulary import EngineName
from sizing.catalog.activation import ComputeBuffer
from sizing.catalog.engines import ENGINES, find_engine
from sizing.catalog.gpus import GIB, visible_bytes
from sizing.catalog.releases import version_key
from sizing.estimate import Estimate
from tests.unit.sizing.weighing import weigh

H100 = "H100 SXM5 80GB"
MODEL = "Qwen/Qwen3-8B"


def _reported(visible: int) -> int:
    """Memory a driver reports for a process to see at least ``visible`` bytes, to the MiB."""
    size = visible
    while visible_bytes(size) < visible:
        size += 2**20
    return size


def _settled(name: EngineName, version: str | None = None, gpu: str = H100, **fields: object) -> Estimate:
    return weigh(MODEL, gpu, engine={"name": name, "version": version, **fields})


@pytest.mark.parametrize(
    ("version", "gpu", "profile", "is_measured"),
    [
        ("0.7.3", H100, "v0", True),
        ("0.9.2", H100, "v1-whole", True),
        ("0.9.2", "Tesla T4", "v0", True),
        ("0.9.2", "Instinct MI300X", "v0", True),
        ("0.11.0", H100, "v1", True),
        ("0.19.0", H100, "v1-lean", True),
        ("0.27.1", H100, "v1-graphs-inside", True),
        ("1.0", H100, "v1-graphs-inside", False),
    ],
)
def test_releases_of_vllm_have_their_profile(version: str, gpu: str, profile: str, *, is_measured: bool) -> None:
    """A release gets the profile of its range on such a GPU; one nobody measured gets the nearest, and says so."""
    engine = _settled("vllm", version, gpu).deployment.engine
    assert (engine.profile.name, engine.is_measured) == (profile, is_measured)


def test_a_release_nobody_measured_has_a_wider_range() -> None:
    """Activations of an unmeasured release reach from nothing to twice what is known."""
    known, unknown = _settled("vllm", "0.29"), _settled("vllm", "1.0")
    assert unknown.per_gpu.total_bytes == known.per_gpu.total_bytes
    assert unknown.low_bytes < known.low_bytes
    assert unknown.high_bytes > known.high_bytes
    assert (known.evidence.activation, unknown.evidence.activation) == ("calibrated", "assumed")


@pytest.mark.parametrize(("version", "utilization"), [("0.11.0", 0.9), ("0.19.0", 0.9), ("0.27.1", 0.92)])
def test_the_default_utilization_follows_the_release(version: str, utilization: float) -> None:
    """vLLM took 0.9 of the memory for long; the log of 0.27.1 says 0.92."""
    assert _settled("vllm", version).deployment.engine.gpu_memory_utilization == utilization


def test_activations_shrank_between_0_16_and_0_17() -> None:
    """Qwen3-14B: 5.64 GiB on 0.15 and 0.16, 2.23 on 0.17 and 0.18 (llm-d-incubation/llm-d-planner#205)."""
    peaks = [
        weigh("Qwen/Qwen3-14B", H100, engine={"name": "vllm", "version": version}).per_gpu.activation_bytes / GIB
        for version in ("0.15.1", "0.16.0", "0.17.0", "0.18.0")
    ]
    assert peaks == pytest.approx([5.64, 5.64, 2.23, 2.23], abs=0.1)


def test_graphs_are_counted_from_0_21() -> None:
    """The same release with and without graphs differs only where the budget counts them."""
    for version, counts in (("0.19.0", False), ("0.27.1", True)):
        eager = _settled("vllm", version, enforce_eager=True).per_gpu.overhead_bytes
        assert (_settled("vllm", version).per_gpu.overhead_bytes > eager) == counts


@pytest.mark.parametrize(
    ("gpu", "chunk", "graphs"),
    [
        # SGLang 0.5.23, server_args.py: chunked prefill and the largest graph batch by memory.
        ("RTX 4090", 4096, 48),
        ("L40S", 4096, 32),
        (H100, 8192, 256),
        ("B200 SXM 180GB", 16384, 512),
    ],
)
def test_sglang_reserves_by_memory(gpu: str, chunk: int, graphs: int) -> None:
    """mem_fraction_static leaves 512 MiB, 1.5 a token, 2 a sequence and 128 a rank; 10 GiB above 60 GiB."""
    found = _settled("sglang", gpu=gpu)
    settings, memory = found.deployment.engine, found.deployment.gpu_memory_bytes
    assert (settings.max_num_batched_tokens, settings.max_num_seqs) == (chunk, graphs)
    reserved = (512 + 1.5 * chunk + 2 * graphs + 128) * 2**20
    if memory > 60 * GIB:
        reserved = max(reserved, 10 * GIB)
    assert settings.gpu_memory_utilization == pytest.approx(1 - reserved / memory, abs=0.001)


@pytest.mark.parametrize(("ranks", "utilization", "starts"), [(1, 0.95, False), (2, 0.95, False), (2, 0.9, True)])
def test_what_lives_outside_the_budget_needs_room(ranks: int, utilization: float, *, starts: bool) -> None:
    """gpt-oss-20b on vLLM 0.19 and H100 failed at 0.95, its pool allocated, and started at 0.9.

    Source: llm-d-incubation/llm-d-planner, accuracy/results/v0.19.0/logs.
    """
    found = weigh(
        "openai/gpt-oss-20b",
        H100,
        ranks,
        engine={"name": "vllm", "version": "0.19.0", "gpu_memory_utilization": utilization},
        workload={"max_model_len": 8192},
    )
    assert found.outside is not None
    assert found.per_gpu.headroom_bytes > 40 * GIB
    assert found.outside.room_bytes == pytest.approx((1 - utilization) * found.deployment.gpu_memory_bytes, abs=1)
    assert (found.verdict == "fits") == starts


def test_an_engine_that_fills_nothing_has_nothing_outside() -> None:
    """llama.cpp and transformers take what they need, so that all of it counts inside."""
    for name in ("llama.cpp", "transformers"):
        outside = _settled(name).outside
        assert outside is not None
        assert (outside.needed_bytes, outside.high_bytes) == (0, 0)


def test_sglang_leaves_activations_outside() -> None:
    """Weights and pool share the fraction: activations are none of it while they fit in the rest."""
    assert _settled("sglang").per_gpu.activation_bytes == 0


def test_tensorrt_llm_takes_its_fraction_of_what_is_free() -> None:
    """Pool = 0.9 x (memory - all else)."""
    found = _settled("tensorrt-llm", gpu_memory_utilization=0.9)
    assert found.kv_cache is not None
    memory, pool = found.deployment.gpu_memory_bytes, found.kv_cache.pool_bytes_per_gpu
    free = pool / 0.9
    beside = memory - free
    assert found.per_gpu.usable_bytes == memory
    assert beside > found.per_gpu.weights_bytes + found.per_gpu.activation_bytes
    assert found.per_gpu.overhead_bytes - 0.1 * free == pytest.approx(
        beside - found.per_gpu.weights_bytes - found.per_gpu.activation_bytes, abs=2
    )


def test_qwen3_235b_on_eight_ranks() -> None:
    """48,128 bytes a token and rank, 12.5 GiB of pool, 33 to 35 sequences of 8,192 at 0.9 of 80 GiB."""
    found = weigh(
        {"name": "Qwen/Qwen3-235B-A22B"},
        H100,
        workload={"max_model_len": 8192},
        parallelism={"tensor_parallel_size": 8},
        hardware={"gpu": H100, "count": 8, "memory_bytes": _reported(80 * GIB)},
    )
    assert found.kv_cache is not None
    assert found.kv_cache.bytes_per_token_per_gpu == 48_128
    assert found.kv_cache.pool_bytes_per_gpu / GIB == pytest.approx(12.5, abs=0.3)
    assert 33 <= found.kv_cache.max_concurrency <= 35


def test_a_memory_shared_with_the_host_widens_the_range() -> None:
    """On GB10 other users of the one memory may hold 12 % of it; what is expected does not change."""
    shared, own = (
        _settled("vllm", gpu=gpu, max_num_seqs=256, max_num_batched_tokens=2048) for gpu in ("GB10 (DGX Spark)", H100)
    )
    assert shared.per_gpu.total_bytes == own.per_gpu.total_bytes
    wider = shared.high_bytes - own.high_bytes
    assert wider == pytest.approx(0.12 * shared.deployment.gpu_memory_bytes, rel=0.001)


@pytest.mark.parametrize("name", ENGINES)
def test_profiles_follow_each_other(name: EngineName) -> None:
    """Every engine has a default release that a profile holds, ranges in order, and spreads in order."""
    row = find_engine(name)
    row.profile(row.default_version, 90)
    assert any(each.holds(row.default_version) for profile in row.profiles for each in profile.versions)
    for profile in row.profiles:
        for each in profile.versions:
            assert version_key(each.first) < version_key(each.before)
        graphs = profile.cuda_graphs
        for spread in (*profile.non_torch, *profile.context):
            assert 0 <= spread.low <= spread.expected <= spread.high
        of_experts = graphs.mixture_of_experts_bytes
        assert 0 <= of_experts.low <= of_experts.expected <= of_experts.high
        for workspace in profile.experts_workspace:
            assert 0 <= workspace.low <= workspace.expected <= workspace.high
        assert graphs.low_spread_bytes <= 0 <= graphs.high_spread_bytes
        for rows in (profile.non_torch, profile.context):
            assert {each.ranks for each in rows if not each.form} == {"one", "tensor-parallel", "pipeline-only"}
        if isinstance(profile.activation, ComputeBuffer):
            assert 0 <= profile.activation.low_per_mille < 1000
            assert profile.activation.high_per_mille >= 0
        else:
            assert profile.activation.low_spread_bytes <= 0 <= profile.activation.high_spread_bytes
        assert profile.defaults[-1].min_memory_bytes == 0
