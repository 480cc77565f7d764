"""The activation peak: the larger of the sampler's warm-up and one forward pass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sizing.catalog.gpus import GIB

from .samples import Sample, hundredths
from .spread import LeftOut, Spread, left_out, spread

PROFILES = ("v0", "v1", "v1-lean")
"""Profiles with enough logs of every component."""
CONSTANTS = [step * GIB // 100 for step in range(41)]
SAMPLER_TENTHS = range(601)
FORWARD_TENTHS = range(61)
START = {"constant_bytes": 0, "sampler_tenths": 200, "forward_tenths": 25}
"""Where the search begins, and what stays where no log depends on it."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivationFit:
    """What the rows of one profile's activation should hold."""

    fitted_on: int
    formula: Formula
    low_spread_bytes: int
    high_spread_bytes: int
    mixture_of_experts: Spread | None
    """What they take beyond the formula, never less than nothing; None where no record shows any."""
    left_out: LeftOut


def fit_activation(samples: Sequence[Sample]) -> ActivationFit:
    """The coefficients of least absolute error over the dense models among ``samples``."""
    told = [one for one in samples if one.activation is not None]
    dense = [one for one in told if not one.is_mixture_of_experts and not one.is_left_out]
    formula = _least_absolute(dense)
    residuals = sorted(_residual(one, formula) for one in dense)
    experts = [one for one in told if one.is_mixture_of_experts and not one.is_left_out]
    return ActivationFit(
        fitted_on=len(dense),
        formula=formula,
        low_spread_bytes=hundredths(min(residuals[0], 0)),
        high_spread_bytes=hundredths(max(residuals[-1], 0)),
        mixture_of_experts=spread([max(_residual(one, formula), 0) for one in experts]),
        left_out=left_out(
            [_residual(one, formula) for one in told if one.is_left_out and not one.is_mixture_of_experts]
        ),
    )


def _residual(one: Sample, formula: Formula) -> int:
    return (one.activation or 0) - formula.peak(one)


def _least_absolute(samples: Sequence[Sample]) -> Formula:
    """The coefficients of least absolute error, found one at a time until none moves."""
    best = Formula(**START)
    while True:
        before = best
        best = _best(samples, [best, *(_with(best, sampler_tenths=tenths) for tenths in SAMPLER_TENTHS)])
        best = _best(samples, [best, *(_with(best, forward_tenths=tenths) for tenths in FORWARD_TENTHS)])
        best = _best(samples, [best, *(_with(best, constant_bytes=size) for size in CONSTANTS)])
        if best == before:
            return best


def _with(formula: Formula, **changed: int) -> Formula:
    fields = {
        "constant_bytes": formula.constant_bytes,
        "sampler_tenths": formula.sampler_tenths,
        "forward_tenths": formula.forward_tenths,
    }
    return Formula(**{**fields, **changed})


def _best(samples: Sequence[Sample], formulas: Iterable[Formula]) -> Formula:
    return min(formulas, key=lambda formula: sum(_cost(one, formula) for one in samples))


def _cost(one: Sample, formula: Formula) -> int:
    return min(abs(_residual(one, formula)), DISAGREEMENT_BYTES)
