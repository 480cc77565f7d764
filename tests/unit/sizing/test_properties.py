"""What must hold for every deployment."""

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.errors import InvalidRequestError
from schemas.parse import parse_request
from sizing.catalog.catalog import load_catalog
from sizing.catalog.gpus import load_gpus
from sizing.estimate import Estimate
from sizing.estimate_request import estimate
from tests.strategies import SIZED_MODELS, sizable_requests
from tests.unit.sizing.weighing import weigh

ORDER = ("does_not_fit", "tight", "fits")


def _estimate(value: dict[str, object]) -> Estimate | None:
    """The estimate; None where the model's heads cannot be divided between that many GPUs."""
    try:
        return estimate(parse_request(value), load_catalog())
    except InvalidRequestError as error:
        assert error.field == "parallelism.tensor_parallel_size"
        return None


@given(sizable_requests())
@settings(max_examples=200)
def test_the_breakdown_adds_up(value: dict[str, object]) -> None:
    """usable = weights + kv cache + activation + overhead + headroom, and every term is at least zero."""
    found = _estimate(value)
    if found is None:
        return
    terms = found.per_gpu
    parts = (terms.weights_bytes, terms.kv_cache_bytes, terms.activation_bytes, terms.overhead_bytes)
    assert min(parts) >= 0
    assert sum(parts) + terms.headroom_bytes == terms.usable_bytes
    assert found.low_bytes <= terms.total_bytes <= found.high_bytes
    outside = found.outside
    lacks_room = outside is not None and outside.low_bytes > outside.room_bytes
    may_lack_room = outside is not None and outside.high_bytes > outside.room_bytes
    assert (found.verdict == "does_not_fit") == (terms.headroom_bytes < 0 or lacks_room)
    assert (found.verdict == "fits") == (found.high_bytes <= terms.usable_bytes and not may_lack_room)


@given(sizable_requests())
@settings(max_examples=100)
def test_ranks_are_told_apart(value: dict[str, object]) -> None:
    """Each rank is told once, the worst of them is the estimate's, and no stage is left out."""
    found = _estimate(value)
    if found is None or found.kv_cache is None:
        return
    sizes = found.deployment.split
    assert sum(rank.num_ranks for rank in found.ranks) == sizes.world_size
    stages = sorted(stage for rank in found.ranks for stage in rank.pipeline_stages)
    assert stages == list(range(sizes.pipeline_parallel_size))
    assert max(rank.per_gpu.total_bytes for rank in found.ranks) == found.per_gpu.total_bytes


@given(sizable_requests(), st.integers(1, 50_000))
@settings(max_examples=100)
def test_more_tokens_never_cost_less(value: dict[str, object], more: int) -> None:
    """A longer max_model_len never needs fewer bytes, and never turns a verdict for the better."""
    workload = value["workload"]
    assert isinstance(workload, dict)
    longer = {**value, "workload": {**workload, "max_model_len": workload["max_model_len"] + more}}
    short, long = _estimate(value), _estimate(longer)
    if short is None or long is None:
        return
    assert long.per_gpu.total_bytes >= short.per_gpu.total_bytes
    assert ORDER.index(long.verdict) <= ORDER.index(short.verdict)


@given(st.sampled_from(SIZED_MODELS), st.integers(2**33, 2**38), st.integers(0, 2**36))
@settings(max_examples=100)
def test_a_larger_gpu_never_fits_less(model: str, memory_bytes: int, more: int) -> None:
    """More memory on the same GPU, the batch limits being the same, never turns fits into does_not_fit."""
    engine = {"name": "vllm", "max_num_seqs": 256, "max_num_batched_tokens": 2048}

    def verdict(size: int) -> int:
        value = {
            "model": {"name": model},
            "engine": engine,
            "hardware": {"gpu": "RTX 3090", "count": 1, "memory_bytes": size},
        }
        found = _estimate(value)
        assert found is not None
        return ORDER.index(found.verdict)

    assert verdict(memory_bytes + more) >= verdict(memory_bytes)


@given(sizable_requests())
@settings(max_examples=100)
def test_shards_sum_to_at_least_the_whole(value: dict[str, object]) -> None:
    """The weights of all ranks together are never less than the weights of one GPU that holds everything."""
    hardware = value["hardware"]
    assert isinstance(hardware, dict)
    split, whole = _estimate(value), _estimate({**value, "hardware": {**hardware, "count": 1}})
    if split is None or whole is None:
        return
    assert split.per_gpu.weights_bytes * hardware["count"] >= whole.per_gpu.weights_bytes


def test_a_larger_catalogue_gpu_of_one_generation_never_fits_less() -> None:
    """Over the catalogue: with the batch limits fixed, verdicts follow the memory."""
    engine = {"name": "vllm", "max_num_seqs": 256, "max_num_batched_tokens": 2048}
    gpus = sorted(load_gpus().gpus, key=lambda gpu: gpu.memory_bytes)
    verdicts = [ORDER.index(weigh("Qwen/Qwen3-8B", gpu.name, engine=engine).verdict) for gpu in gpus]
    assert verdicts == sorted(verdicts)
    assert verdicts[0] == 0
    assert verdicts[-1] == 2


def test_fewer_bits_never_weigh_more() -> None:
    """A format of fewer bits takes no more bytes than one of more."""
    by_bits = [
        weigh("Qwen/Qwen3-8B", "H200", weight_format=name).per_gpu.weights_bytes
        for name in ("nvfp4", "fp8", "bf16", "fp32")
    ]
    assert by_bits == sorted(by_bits)
