"""The activation peak: the larger of the sampler's warm-up and one forward pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sizing.catalog.gpus import GIB

from .formula_fit import FormulaFit, fit_formula
from .samples import Sample

PROFILES = ("v0", "v1", "v1-lean")
"""Profiles with enough logs of every component."""
CONSTANTS = [step * GIB // 100 for step in range(41)]
SAMPLER_TENTHS = range(601)
FORWARD_TENTHS = range(61)
DISAGREEMENT_BYTES = 2 * GIB
"""What the formula misses by more is told as spread, and shifts no coefficient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """Coefficients of the activation peak."""

    constant_bytes: int
    sampler_tenths: int
    forward_tenths: int

    def peak(self, sample: Sample) -> int:
        """The larger of the sampler's warm-up and one forward pass."""
        warm_up = self.constant_bytes + sample.entries * self.sampler_tenths // 10 if sample.entries else 0
        return max(warm_up, sample.elements * self.forward_tenths // 10)


START = Formula(constant_bytes=0, sampler_tenths=200, forward_tenths=25)
"""Where the search begins, and what stays where no log depends on it."""


def fit_activation(samples: Sequence[Sample]) -> FormulaFit[Formula]:
    """The coefficients of least absolute error over the dense models among ``samples``."""
    told = [one for one in samples if one.activation is not None]
    return fit_formula(told, _least_absolute, _residual)


def _residual(one: Sample, formula: Formula) -> int:
    return (one.activation or 0) - formula.peak(one)


def _least_absolute(samples: Sequence[Sample]) -> Formula:
    """The coefficients of least absolute error, found one at a time until none moves."""
    best = START
    while True:
        before = best
        best = _best(samples, [best, *(replace(best, sampler_tenths=tenths) for tenths in SAMPLER_TENTHS)])
        best = _best(samples, [best, *(replace(best, forward_tenths=tenths) for tenths in FORWARD_TENTHS)])
        best = _best(samples, [best, *(replace(best, constant_bytes=size) for size in CONSTANTS)])
        if best == before:
            return best


def _best(samples: Sequence[Sample], formulas: Iterable[Formula]) -> Formula:
    return min(formulas, key=lambda formula: sum(_cost(one, formula) for one in samples))


def _cost(one: Sample, formula: Formula) -> int:
    return min(abs(_residual(one, formula)), DISAGREEMENT_BYTES)
