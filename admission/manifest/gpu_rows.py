"""How clusters name GPUs: the rows of ``gpu_rows.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

from sizing.catalog.rows import CLOSED, read_yaml


@dataclass(frozen=True, kw_only=True)
class ResourceRow:
    """A resource that a container asks for."""

    __pydantic_config__ = CLOSED

    name: str
    counts: Literal["gpus", "memory", "percent"]
    """What its quantity is: GPUs, or what each of them is limited to."""
    source: str
    unit_bytes: int = 1
    is_shared: bool = False
    """Whether others use the same GPU."""


@dataclass(frozen=True, kw_only=True)
class PatternRow:
    """Resources whose name has a MIG profile in it."""

    __pydantic_config__ = CLOSED

    pattern: str
    source: str


@dataclass(frozen=True, kw_only=True)
class DeviceClassRow:
    """A class of dynamic resource allocation."""

    __pydantic_config__ = CLOSED

    name: str
    source: str
    is_mig: bool = False


@dataclass(frozen=True, kw_only=True)
class LabelRow:
    """A label of nodes that names their GPU."""

    __pydantic_config__ = CLOSED

    name: str
    source: str
    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the catalogue, where the label's own are others or could mean more."""
    is_machine: bool = False
    """Whether it names a type of machine instead."""
    is_convention: bool = False
    """Whether it is a habit rather than a contract: its values may be anything."""


@dataclass(frozen=True, kw_only=True)
class SourcedName:
    """A name, and where it is from."""

    __pydantic_config__ = CLOSED

    name: str
    source: str


@dataclass(frozen=True, kw_only=True)
class SuffixRow:
    """What GPU feature discovery adds to the name of a product."""

    __pydantic_config__ = CLOSED

    shared: str
    mig_pattern: str
    source: str


@dataclass(frozen=True, kw_only=True)
class VariableRow:
    """The variable that gives a container GPUs it did not ask for."""

    __pydantic_config__ = CLOSED

    name: str
    nothing: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A type of machine."""

    __pydantic_config__ = CLOSED

    name: str
    gpu: str
    gpus: int


@dataclass(frozen=True, kw_only=True)
class Machines:
    """Machines that one document lists."""

    __pydantic_config__ = CLOSED

    source: str
    types: tuple[Machine, ...]


@dataclass(frozen=True, kw_only=True)
class GpuRows:
    """All of it."""

    __pydantic_config__ = CLOSED

    resources: tuple[ResourceRow, ...]
    mig_resource: PatternRow
    device_classes: tuple[DeviceClassRow, ...]
    labels: tuple[LabelRow, ...]
    partition_labels: tuple[SourcedName, ...]
    suffixes: SuffixRow
    devices_variable: VariableRow
    visible_variable: SourcedName
    machines: tuple[Machines, ...]

    @cached_property
    def resource(self) -> Mapping[str, ResourceRow]:
        """Resources by name."""
        return {row.name: row for row in self.resources}

    @cached_property
    def device_class(self) -> Mapping[str, DeviceClassRow]:
        """Device classes by name."""
        return {row.name: row for row in self.device_classes}

    @cached_property
    def machine(self) -> Mapping[str, Machine]:
        """Machines by the name of their type."""
        return {each.name: each for listed in self.machines for each in listed.types}


@cache
def load_gpu_rows() -> GpuRows:
    """The rows of ``gpu_rows.yaml``."""
    return read_yaml("gpu_rows.yaml", GpuRows, files(__package__))
