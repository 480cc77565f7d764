"""The GPUs that a container asks for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .containers import Container
from .gpu_rows import load_gpu_rows
from .quantity import whole_number
from .shapes import mapping


@dataclass(frozen=True, kw_only=True)
class Asked:
    """GPUs, or parts of them."""

    count: int = 0
    mig: str | None = None
    """MIG profile, where slices are asked for."""
    memory_bytes: int | None = None
    """What a process may take of each, where it is limited."""
    percent: int | None = None
    """The same in percent of the GPU's memory."""
    is_shared: bool = False
    """Whether others use the same GPUs."""
    products: tuple[str, ...] = ()
    """Types that a device claim selects."""


def asked_by_resources(container: Container) -> Asked:
    """The GPUs among the limits and requests of ``container``; a limit stands for a request too.

    Raises: UnreadableError.
    """
    place = f"{container.place}.resources"
    resources = mapping(container.fields.get("resources"), place)
    quantities = {
        name: whole_number(value, f"{place}.{kind}[{name}]")
        for kind in ("requests", "limits")
        for name, value in mapping(resources.get(kind), f"{place}.{kind}").items()
        if _is_ours(name) and value is not None
    }
    return _asked(quantities)


def _is_ours(name: str) -> bool:
    return name in load_gpu_rows().resource or _mig_profile(name) is not None


def _mig_profile(name: str) -> str | None:
    match = re.fullmatch(load_gpu_rows().mig_resource.pattern, name)
    return match[1] if match else None


def _asked(quantities: Mapping[str, int]) -> Asked:
    found: dict[str, Any] = {}
    for name, quantity in quantities.items():
        row = load_gpu_rows().resource.get(name)
        if quantity == 0:
            continue
        if row is None:
            found["mig"] = _mig_profile(name)
            found["count"] = found.get("count", 0) + quantity
        elif row.counts == "gpus":
            found["count"] = found.get("count", 0) + quantity
            found["is_shared"] = row.is_shared
        elif row.counts == "memory":
            found["memory_bytes"] = quantity * row.unit_bytes
        else:
            found["percent"] = quantity
    if "memory_bytes" in found or "percent" in found:
        # Who asks for memory only gets it on one GPU.
        found.setdefault("count", 1)
    return Asked(**found)
