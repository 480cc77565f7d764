"""How many GPUs one machine has; rows of ``machines.yaml``."""

from dataclasses import dataclass
from functools import cache

from .gpus import Gpu
from .rows import CLOSED, read_yaml
from .sourced import IntegerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    __pydantic_config__ = CLOSED

    gpu: str
    gpus_per_machine: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machines:
    __pydantic_config__ = CLOSED

    usual: IntegerRow
    others: tuple[_Machine, ...]


@cache
def _machines() -> tuple[int, dict[str, int]]:
    rows = read_yaml("machines.yaml", _Machines)
    return rows.usual.value, {each.gpu: each.gpus_per_machine for each in rows.others}


def gpus_per_machine(gpu: Gpu) -> int:
    """GPUs like ``gpu`` that reach each other without leaving their machine."""
    usual, others = _machines()
    return others.get(gpu.name, usual)
