"""The generations of the catalogue, and which of them have tensor cores."""

import pytest

from schemas.errors import InvalidRequestError
from sizing.catalog.generations import find_generations, generation_of, load_generations
from sizing.catalog.gpus import load_gpus


def test_the_catalogue_has_every_generation_that_support_is_documented_for() -> None:
    """NVIDIA from Pascal to Blackwell, Turing twice, AMD from CDNA 2 and RDNA 3 on, Intel and Apple."""
    told = [(each.compute_capability, each.name) for each in load_generations()]
    assert told == [
        ("6.0", "pascal"),
        ("6.1", "pascal"),
        ("7.0", "volta"),
        ("7.5", "turing without tensor cores"),
        ("7.5", "turing"),
        ("8.0", "ampere"),
        ("8.6", "ampere"),
        ("8.9", "ada"),
        ("9.0", "hopper"),
        ("10.0", "blackwell"),
        ("10.3", "blackwell"),
        ("12.0", "blackwell"),
        ("12.1", "blackwell"),
        ("gfx90a", "amd-cdna2"),
        ("gfx942", "amd-cdna3"),
        ("gfx950", "amd-cdna4"),
        ("gfx1100", "amd-rdna3"),
        ("gfx1201", "amd-rdna4"),
        ("", "intel-xe2"),
        ("", "intel-gaudi"),
        ("", "apple-silicon"),
    ]


def test_tensor_cores_came_with_volta_and_not_to_gtx_16() -> None:
    """Of NVIDIA's cards those before Volta and the GTX 16 have no tensor cores, by NVIDIA's data sheets."""
    without = {gpu.name for gpu in load_gpus().gpus if gpu.vendor == "nvidia" and not gpu.has_tensor_cores}
    pascal = {gpu.name for gpu in load_gpus().gpus if gpu.architecture == "pascal"}
    assert without == pascal | {"GeForce GTX 1660 SUPER"}


@pytest.mark.parametrize(
    ("gpu", "capability"), [("B300", "10.3"), ("DGX Spark", "12.1"), ("MI250X", "gfx90a"), ("Tesla P100", "6.0")]
)
def test_a_gpu_is_of_a_generation_found_by_its_capability(gpu: str, capability: str) -> None:
    """A GPU's generation is among those of its compute capability."""
    assert generation_of(load_gpus().find(gpu)) in find_generations(capability)


@pytest.mark.parametrize(("asked", "near"), [("8.7", "8.6"), ("gfx941", "gfx942"), ("", "")])
def test_an_unknown_capability_is_refused_with_the_nearest(asked: str, near: str) -> None:
    """A compute capability no GPU has is an error that names the nearest."""
    with pytest.raises(InvalidRequestError) as caught:
        find_generations(asked)
    assert caught.value.field == "compute_capability"
    assert near in (caught.value.hint or "")
