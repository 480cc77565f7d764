"""The rule of thumb: parameters x bytes per parameter x a factor for the kv cache."""

from dataclasses import dataclass
from decimal import ROUND_CEILING
from functools import cache, lru_cache

from .catalog.formats import Format
from .catalog.rows import CLOSED, read_yaml
from .estimate import RuleOfThumbFigures
from .exact import as_written

_REMEMBERED = 4096
"""Sizes kept: models of the catalogue in the formats they are asked in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleOfThumbRows:
    """The factors the rule is used with."""

    __pydantic_config__ = CLOSED

    usual_factor: float
    long_context_factor: float
    source: str


@cache
def rule_of_thumb_rows() -> RuleOfThumbRows:
    """The rows of ``rule_of_thumb.yaml``."""
    return read_yaml("rule_of_thumb.yaml", RuleOfThumbRows)


def rule_of_thumb(num_parameters: int, stored: Format, factor: float, gpu_count: int) -> RuleOfThumbFigures:
    """Bytes by the rule, in all and for each of ``gpu_count`` GPUs, rounded up.

    >>> from .catalog.formats import load_formats
    >>> rule_of_thumb(8 * 10**9, load_formats().weights["fp16"], 1.2, 1).total_bytes
    19200000000
    """
    total = scaled_bytes(num_parameters, stored, factor)
    return RuleOfThumbFigures(
        factor=factor,
        num_parameters=num_parameters,
        total_bytes=total,
        per_gpu_bytes=-(-total // gpu_count),
    )


def scaled_bytes(num_parameters: int, stored: Format, factor: float) -> int:
    """``num_parameters`` elements of ``stored`` times ``factor``, in bytes, rounded up."""
    return _scaled_bytes(num_parameters * stored.bits, factor)


@lru_cache(maxsize=_REMEMBERED)
def _scaled_bytes(bits: int, factor: float) -> int:
    return int((bits * as_written(factor) / 8).to_integral_value(ROUND_CEILING))
