"""How clusters name GPUs, held against the catalogue."""

import re

import pytest

from admission.manifest.errors import UnreadableError
from admission.manifest.gpu_rows import load_gpu_rows
from admission.manifest.gpu_types import GpuType, types_called
from admission.manifest.kinds.kaito import _presets
from admission.manifest.models import hub_id
from admission.manifest.quantity import whole_number
from sizing.catalog.gpus import load_gpus

NAMES = {gpu.name for gpu in load_gpus().gpus}


def test_rows_name_gpus_of_the_catalogue() -> None:
    """Labels and machines name them as the catalogue does."""
    rows = load_gpu_rows()
    listed = {name for row in rows.labels for names in row.values.values() for name in names}
    assert listed <= NAMES
    assert {machine.gpu for machine in rows.machine.values()} <= NAMES


def test_names_of_rows_are_said_once() -> None:
    """No resource, label, device class or machine is listed twice."""
    rows = load_gpu_rows()
    machines = [each.name for listed in rows.machines for each in listed.types]
    for names in (
        [row.name for row in rows.resources],
        [row.name for row in rows.labels],
        [row.name for row in rows.device_classes],
        machines,
    ):
        assert len(names) == len(set(names))


def test_presets_name_repositories() -> None:
    """Each of KAITO's names stands for an id of the hub."""
    assert [name for name in _presets().presets.values() if hub_id(name) != name] == []


@pytest.mark.parametrize(
    ("label", "gpus"),
    [
        ("NVIDIA-H100-80GB-HBM3", [GpuType(name="NVIDIA-H100-80GB-HBM3")]),
        ("NVIDIA-A100-SXM4-80GB-SHARED", [GpuType(name="NVIDIA-A100-SXM4-80GB", is_shared=True)]),
        ("NVIDIA-A100-SXM4-80GB-MIG-1g.10gb", [GpuType(name="NVIDIA-A100-SXM4-80GB", mig="1g.10gb")]),
        (
            "NVIDIA-A100-SXM4-40GB-MIG-1g.5gb-SHARED",
            [GpuType(name="NVIDIA-A100-SXM4-40GB", mig="1g.5gb", is_shared=True)],
        ),
    ],
)
def test_labels_of_feature_discovery_are_read(label: str, gpus: list[GpuType]) -> None:
    """Suffixes say of a product how it is shared."""
    assert types_called(label, "label") == gpus


def test_name_that_could_mean_several_means_all_of_them() -> None:
    """None of them is preferred: each is weighed."""
    assert {gpu.name for gpu in types_called("H100", "label")} == {
        "H100 PCIe 80GB",
        "H100 SXM5 80GB",
        "H100 NVL 94GB",
    }


def test_unknown_gpu_is_told_with_the_nearest() -> None:
    """A product that the catalogue lacks is no reason to guess."""
    with pytest.raises(UnreadableError, match="nearest names") as error:
        types_called("NVIDIA-Z9000", "label")
    assert error.value.reason == "UnknownGpu"


@pytest.mark.parametrize(
    ("name", "profile"), [("nvidia.com/mig-3g.40gb", "3g.40gb"), ("nvidia.com/mig-1g.10gb.me", "1g.10gb")]
)
def test_mig_resources_name_their_profile(name: str, profile: str) -> None:
    """The profile is part of the resource's name."""
    match = re.fullmatch(load_gpu_rows().mig_resource.pattern, name)
    assert match is not None
    assert match[1] == profile


@pytest.mark.parametrize(
    ("text", "number"), [(4, 4), ("4", 4), ("2k", 2000), ("1Ki", 1024), ("3000m", 3), ("1.5k", 1500)]
)
def test_quantities_are_whole_numbers(text: object, number: int) -> None:
    """However Kubernetes writes them."""
    assert whole_number(text, "x") == number


@pytest.mark.parametrize("text", ["0.5", "500m", "many", "", "-1", "1e3x", True, None, 1.5])
def test_other_quantities_are_unreadable(text: object) -> None:
    """No part of a device is asked for, and nothing is guessed."""
    with pytest.raises(UnreadableError):
        whole_number(text, "x")
