"""A formula fitted to the dense models, and how far it is from them, from experts and from the models left out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from .samples import Sample, hundredths
from .spread import LeftOut, Spread, left_out, spread

Formula = TypeVar("Formula")


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaFit(Generic[Formula]):
    """What the rows of one term of a profile should hold."""

    fitted_on: int
    formula: Formula
    low_spread_bytes: int
    high_spread_bytes: int
    mixture_of_experts: Spread | None
    """What they take beyond the formula, never less than nothing; None where no record shows any."""
    left_out: LeftOut


def fit_formula(
    told: Sequence[Sample],
    search: Callable[[Sequence[Sample]], Formula],
    residual: Callable[[Sample, Formula], int],
) -> FormulaFit[Formula]:
    """What ``search`` finds for the dense models among ``told``, those apart that are left out."""
    dense = [one for one in told if not one.is_mixture_of_experts]
    known = [one for one in dense if not one.is_left_out]
    formula = search(known)
    residuals = [residual(one, formula) for one in known]
    experts = [one for one in told if one.is_mixture_of_experts and not one.is_left_out]
    return FormulaFit(
        fitted_on=len(known),
        formula=formula,
        low_spread_bytes=hundredths(min([*residuals, 0])),
        high_spread_bytes=hundredths(max([*residuals, 0])),
        mixture_of_experts=spread([max(residual(one, formula), 0) for one in experts]),
        left_out=left_out([residual(one, formula) for one in dense if one.is_left_out]),
    )
