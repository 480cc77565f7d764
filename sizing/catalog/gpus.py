"""The GPUs of the catalogue, and the many ways their names are written."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import Literal

from schemas.errors import UnknownGpuError
from schemas.vocabulary import Evidence

from .rows import CLOSED, read_csv, read_yaml

MIB = 2**20
GIB = 2**30


Link = Literal["none", "bridge", "fabric"]
"""How GPUs of a type reach each other beside PCIe: not at all, in pairs by a bridge, or all of a machine."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Gpu:
    """One GPU type; a row of ``gpus.csv``, equal to itself alone, since much is remembered by it."""

    name: str
    aliases: tuple[str, ...]
    vendor: str
    """nvidia, amd, intel or apple."""
    architecture: str
    """pascal, volta, turing, ampere, ada, hopper, blackwell, amd-cdna3, intel-xe2 and so on."""
    compute_capability: str
    """As the vendor writes it: ``8.6``, ``gfx942``, or empty."""
    compute_capability_tens: int
    """CUDA compute capability times ten, such as 86 or 121; 0 where there is none."""
    has_tensor_cores: bool
    """Whether the row gives a rate of matrix units; a GTX 16 has none, for all its compute capability of 7.5."""
    marketing_memory_gb: float
    memory_bytes: int
    """Memory of one GPU as a process sees it, rounded down where no measurement exists."""
    memory_evidence: Evidence
    form: str
    """desktop PCIe, workstation PCIe, datacenter SXM5, laptop and so on."""
    nvlink: bool
    tdp_w: int
    """Watts it is rated at; a board's, where several GPUs share one."""
    release_year: int
    source: str
    note: str

    @cached_property
    def is_consumer(self) -> bool:
        """Whether it is sold as a desktop or laptop card."""
        return self.form in ("desktop PCIe", "laptop")

    @cached_property
    def shares_its_budget(self) -> bool:
        """Whether what a process may take of its memory is for its GPU and host parts together."""
        return self.vendor == _memory_rows().working_set.vendor

    @cached_property
    def stands_alone(self) -> bool:
        """Whether a machine has only one of it."""
        return self.form == "laptop" or self.shares_its_budget

    @cached_property
    def link(self) -> Link:
        """What joins several of it; a card in a slot has room for a bridge at most."""
        if not self.nvlink:
            return "none"
        return "bridge" if self.form.endswith("PCIe") else "fabric"

    @cached_property
    def box_bytes(self) -> int:
        """Memory it is sold with, each GB taken as 2**30 bytes."""
        return int(self.marketing_memory_gb * GIB)


@dataclass(frozen=True, slots=True, kw_only=True)
class _DriverReserve:
    __pydantic_config__ = CLOSED

    bytes: int
    per_mille_of_reported: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _HostShare:
    __pydantic_config__ = CLOSED

    vendor: str
    form: str
    high_per_mille: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _WorkingSetRow:
    __pydantic_config__ = CLOSED

    min_memory_bytes: int
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _WorkingSet:
    __pydantic_config__ = CLOSED

    vendor: str
    rows: tuple[_WorkingSetRow, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _MemoryRows:
    __pydantic_config__ = CLOSED

    working_set: _WorkingSet
    host_share: _HostShare
    driver_reserve: _DriverReserve
    reported_per_mille_of_nominal: dict[str, int]
    reported_per_mille_of_nominal_source: str


@cache
def _memory_rows() -> _MemoryRows:
    return read_yaml("memory.yaml", _MemoryRows)


def visible_bytes(reported_bytes: int) -> int:
    """Bytes a process sees of a GPU whose driver reports ``reported_bytes``, rounded down."""
    reserve = _memory_rows().driver_reserve
    kept = reserve.bytes + -(-reported_bytes * reserve.per_mille_of_reported // 1000)
    return max(reported_bytes - kept, 0)


def seen_bytes(vendor: str, reported_bytes: int) -> int:
    """Bytes a process may take of a GPU by ``vendor`` with ``reported_bytes`` of memory, rounded down."""
    working_set = _memory_rows().working_set
    if vendor != working_set.vendor:
        return visible_bytes(reported_bytes)
    row = next(row for row in working_set.rows if reported_bytes >= row.min_memory_bytes)
    return reported_bytes * row.numerator // row.denominator


def host_share_per_mille(gpu: Gpu) -> int:
    """Of the memory of ``gpu``, the most that the host may hold where it is one memory; 0 elsewhere."""
    share = _memory_rows().host_share
    return share.high_per_mille if (gpu.vendor, gpu.form) == (share.vendor, share.form) else 0


def _memory(row: dict[str, str]) -> tuple[int, Evidence]:
    if row["visible_memory_gib"]:
        return int(float(row["visible_memory_gib"]) * GIB), "calibrated"
    if row["usable_memory_mib"]:
        return visible_bytes(int(row["usable_memory_mib"]) * MIB), "analytic"
    nominal = int(float(row["marketing_memory_gb"]) * GIB)
    if row["vendor"] == _memory_rows().working_set.vendor:
        return seen_bytes(row["vendor"], nominal), "analytic"
    per_mille = _memory_rows().reported_per_mille_of_nominal[row["form"]]
    return visible_bytes(nominal * per_mille // 1000), "assumed"


def _gpu(row: dict[str, str]) -> Gpu:
    memory_bytes, evidence = _memory(row)
    capability = row["compute_capability"]
    major_minor = re.fullmatch(r"(\d+)\.(\d)", capability)
    return Gpu(
        name=row["name"],
        aliases=tuple(alias.strip() for alias in row["aliases"].split(";")),
        vendor=row["vendor"],
        architecture=row["architecture"],
        compute_capability=capability,
        compute_capability_tens=int(major_minor[1] + major_minor[2]) if major_minor else 0,
        has_tensor_cores=any(value for column, value in row.items() if "_tensor_" in column),
        marketing_memory_gb=float(row["marketing_memory_gb"]),
        memory_bytes=memory_bytes,
        memory_evidence=evidence,
        form=row["form"],
        nvlink=row["nvlink_gb_s"] not in ("none", ""),
        tdp_w=int(row["tdp_w"] or 0),
        release_year=int(row["release_year"]),
        source=row["source"],
        note=row["note"],
    )


def _tokens(name: str) -> tuple[str, ...]:
    """Runs of letters and of digits, lower-cased, without the vendor's name and words that say nothing."""
    filler = ("nvidia", "amd", "intel", "geforce", "tesla", "quadro", "instinct", "gpu", "graphics", "shared")
    return tuple(t for t in re.findall(r"[a-z]+|\d+(?:\.\d+)?", name.lower()) if t not in filler)


class GpuCatalog:
    """GPU types by name, alias, driver string or node label."""

    def __init__(self, gpus: Iterable[Gpu]) -> None:
        self.gpus = tuple(gpus)
        self._known = lru_cache(maxsize=1024)(self._find)
        self._exact: dict[tuple[str, ...], list[Gpu]] = {}
        self._parts: dict[str, list[frozenset[str]]] = {}
        for gpu in self.gpus:
            spellings = dict.fromkeys(_tokens(name) for name in (gpu.name, *gpu.aliases))
            for spelling in spellings:
                self._exact.setdefault(spelling, []).append(gpu)
            self._parts[gpu.name] = [frozenset(spelling + _tokens(gpu.name)) for spelling in spellings]

    def find(self, name: str) -> Gpu:
        """The one GPU that ``name`` means.

        A name is compared without case, punctuation and the vendor's name; if none is written exactly so, a
        name of which every part occurs in one GPU's name means that GPU.

        Raises: UnknownGpuError naming the nearest, or all that the name could mean.
        """
        return self._known(name)

    def _find(self, name: str) -> Gpu:
        found = self.meanings(name)
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(gpu.name for gpu in found)
            raise UnknownGpuError(
                f"hardware.gpu: {name!r} could mean {len(found)} GPUs",
                field="hardware.gpu",
                hint=f"say which: {names}",
            )
        raise UnknownGpuError(
            f"hardware.gpu: no GPU of the catalogue is called {name!r}",
            field="hardware.gpu",
            hint=f"nearest names: {', '.join(self.nearest(name))}",
        )

    def meanings(self, name: str) -> list[Gpu]:
        """Every GPU that ``name`` could mean: the one written exactly so, else all whose names have its parts."""
        tokens = _tokens(name)
        exact = self._exact.get(tokens, [])
        return exact if len(exact) == 1 else self._containing(frozenset(tokens))

    def nearest(self, name: str, limit: int = 3) -> list[str]:
        """The catalogue names most like ``name``."""
        spelt = {" ".join(tokens): gpus[0].name for tokens, gpus in self._exact.items()}
        near = difflib.get_close_matches(" ".join(_tokens(name)), spelt, n=limit * 3, cutoff=0)
        return list(dict.fromkeys(spelt[spelling] for spelling in near))[:limit]

    def _containing(self, tokens: frozenset[str]) -> list[Gpu]:
        """GPUs whose name, or whose name and one of its aliases, have every token."""
        if not tokens:
            return []
        return [gpu for gpu in self.gpus if any(tokens <= parts for parts in self._parts[gpu.name])]


@cache
def load_gpus() -> GpuCatalog:
    """The GPUs of ``gpus.csv``."""
    return GpuCatalog(_gpu(row) for row in read_csv("gpus.csv"))
