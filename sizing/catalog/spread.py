"""Figures that vary: what was measured least, what is expected, what was measured most."""

from dataclasses import dataclass
from typing import Literal

from .rows import CLOSED

RanksKind = Literal["one", "tensor-parallel", "pipeline-only"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Bytes, or per mille, as measured: the lowest, the expected and the highest."""

    __pydantic_config__ = CLOSED

    low: int
    expected: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RanksSpread:
    """A spread for one way of splitting the model, on all GPUs or on those of some form."""

    __pydantic_config__ = CLOSED

    ranks: RanksKind
    form: str = ""
    """How the form of the GPUs begins, such as ``datacenter SXM``; of several rows the first that suits holds."""
    low: int
    expected: int
    high: int
