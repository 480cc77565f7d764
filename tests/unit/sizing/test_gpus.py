import pytest

from rules.recommend import recommend
from schemas.errors import UnknownGpuError
from schemas.parse import parse_request
from sizing.catalog.gpus import GIB, Gpu, host_share_per_mille, load_gpus, seen_bytes, visible_bytes


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("NVIDIA-GeForce-RTX-3090", "GeForce RTX 3090"),
        ("rtx 3090", "GeForce RTX 3090"),
        ("RTX3090", "GeForce RTX 3090"),
        ("NVIDIA GeForce RTX 3090", "GeForce RTX 3090"),
        ("RTX 3090 Ti", "GeForce RTX 3090 Ti"),
        ("H100-SXM-80GB", "H100 SXM5 80GB"),
        ("NVIDIA H100 80GB HBM3", "H100 SXM5 80GB"),
        ("NVIDIA-H100-80GB-HBM3-SHARED", "H100 SXM5 80GB"),
        ("h100 pcie", "H100 PCIe 80GB"),
        ("Tesla-T4", "Tesla T4"),
        ("A100-SXM4-80GB", "A100 SXM4 80GB"),
        ("RTX 4060 Ti 16GB", "GeForce RTX 4060 Ti 16GB"),
        ("mi300x", "Instinct MI300X"),
        ("H20", "H20 96GB"),
        ("DGX Spark", "GB10 (DGX Spark)"),
    ],
)
def test_a_gpu_is_found_however_its_name_is_written(written: str, name: str) -> None:
    """Driver strings, node labels and what people type all mean the catalogue's row."""
    assert load_gpus().find(written).name == name


@pytest.mark.parametrize(
    ("written", "could_be"),
    [
        ("H100", ["H100 PCIe 80GB", "H100 SXM5 80GB"]),
        ("RTX 4060 Ti", ["GeForce RTX 4060 Ti 8GB", "GeForce RTX 4060 Ti 16GB"]),
        ("A100", ["A100 PCIe 40GB", "A100 SXM4 80GB"]),
    ],
)
def test_a_name_of_several_gpus_is_refused_with_all_of_them(written: str, could_be: list[str]) -> None:
    """A name that leaves the memory open is an error that lists what it could mean."""
    with pytest.raises(UnknownGpuError) as caught:
        load_gpus().find(written)
    assert caught.value.field == "hardware.gpu"
    assert all(name in (caught.value.hint or "") for name in could_be)


@pytest.mark.parametrize(("written", "near"), [("RTX 3009", "RTX 3090"), ("H1000", "H100"), ("", "")])
def test_an_unknown_name_is_refused_with_the_nearest(written: str, near: str) -> None:
    """A GPU the catalogue does not have is an error that names the nearest it has."""
    with pytest.raises(UnknownGpuError) as caught:
        load_gpus().find(written)
    assert near in (caught.value.hint or "")


@pytest.mark.parametrize("gpu", load_gpus().gpus, ids=lambda gpu: gpu.name)
def test_every_row_is_whole(gpu: Gpu) -> None:
    """Each GPU has a source, resolves by its own name, and shows no more memory than is on its box."""
    assert gpu.source
    assert load_gpus().find(gpu.name) is gpu
    assert 0 < gpu.memory_bytes <= gpu.marketing_memory_gb * GIB
    assert (gpu.compute_capability_tens > 0) == (gpu.vendor == "nvidia")


@pytest.mark.parametrize(
    ("name", "printed_gib"),
    [
        ("Tesla T4", 14.74),
        ("L4", 22.16),
        ("GeForce RTX 3090", 23.56),
        ("A100 SXM4 80GB", 79.10),
        ("H100 SXM5 80GB", 79.18),
        ("B200 SXM 180GB", 178.35),
    ],
)
def test_memory_is_what_engines_print_at_start_up(name: str, printed_gib: float) -> None:
    """Where start-up logs show a card's memory, the catalogue has the lowest reading."""
    assert load_gpus().find(name).memory_bytes / GIB == pytest.approx(printed_gib, abs=0.005)


@pytest.mark.parametrize(
    ("nvidia_smi_mib", "printed_gib"),
    [(15_360, 14.74), (16_303, 15.47), (24_576, 23.56), (23_034, 22.16), (81_920, 79.10), (183_359, 178.35)],
)
def test_where_no_log_shows_it_visible_memory_is_never_above_what_logs_show(
    nvidia_smi_mib: int, printed_gib: float
) -> None:
    """The driver's reserve is an upper envelope: it never promises more than a logged card had."""
    assert visible_bytes(nvidia_smi_mib * 2**20) <= printed_gib * GIB


@pytest.mark.parametrize(
    ("name", "mib"),
    [("Apple M1 16GB", 10922.67), ("M2 Max 32GB", 21845.34), ("Apple M2 Max 96GB", 73728.00)],
)
def test_apple_machines_have_what_metal_recommends(name: str, mib: float) -> None:
    """recommendedMaxWorkingSetSize of llama.cpp's logs (llama-cpp-python#687, ollama#434, llama.cpp#3213)."""
    gpu = load_gpus().find(name)
    assert gpu.memory_bytes / 2**20 == pytest.approx(mib, abs=0.01)
    assert seen_bytes("apple", gpu.memory_bytes) < gpu.memory_bytes
    assert host_share_per_mille(gpu) == 0
    assert gpu.stands_alone


def test_an_apple_machine_is_weighed_with_its_working_set() -> None:
    """Llama-3.1-70B in Q4_K_M, 39.6 GiB, runs on 64 GB with llama.cpp, not on 48 GB, and not on vLLM at all."""
    request = {
        "model": {"name": "meta-llama/Llama-3.1-70B-Instruct"},
        "weight_format": "gguf:q4_k_m",
        "engine": {"name": "llama.cpp"},
        "workload": {"max_model_len": 4096},
    }
    verdicts = [
        recommend(parse_request({**request, "hardware": {"gpu": gpu}})).verdict
        for gpu in ("M3 Max 64GB", "M3 Max 48GB")
    ]
    assert verdicts[0] in ("fits", "tight")
    assert verdicts[1] == "does_not_fit"
    bf16 = {"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "M3 Max 64GB"}}
    assert recommend(parse_request(bf16)).verdict == "unsupported"
    assert recommend(parse_request({**bf16, "engine": {"name": "llama.cpp"}})).verdict == "fits"
