"""The fit of every profile that has enough logs."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from sizing.catalog.engines import find_engine
from sizing.catalog.profile import Profile
from sizing.catalog.spread import RanksKind

from . import activation, graphs
from .activation import fit_activation
from .formula_fit import FormulaFit
from .graphs import fit_graphs
from .samples import Sample, samples
from .spread import Spread, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What one profile's rows should hold, and how far the formulas are from the models left out."""

    profile: str
    activation: FormulaFit[activation.Formula] | None
    """None where too few logs print it."""
    non_torch: dict[RanksKind, Spread]
    cuda_graphs: FormulaFit[graphs.Formula] | None


@cache
def fits() -> tuple[Fit, ...]:
    """Each fit, in the order of releases."""
    names = dict.fromkeys((*activation.PROFILES, *graphs.PROFILES))
    return tuple(_fit(name, [one for one in samples() if one.profile == name]) for name in names)


def profile_of(name: str) -> Profile:
    """vLLM's profile called ``name``."""
    return next(profile for profile in find_engine("vllm").profiles if profile.name == name)


def _fit(name: str, of_profile: list[Sample]) -> Fit:
    is_told = name in activation.PROFILES
    return Fit(
        profile=name,
        activation=fit_activation(of_profile) if is_told else None,
        non_torch=_by_ranks(one for one in of_profile if is_told and not one.is_left_out),
        cuda_graphs=fit_graphs(of_profile) if name in graphs.PROFILES else None,
    )


def _by_ranks(known: Iterable[Sample]) -> dict[RanksKind, Spread]:
    sizes: dict[RanksKind, list[int]] = {}
    for one in known:
        if one.non_torch is not None:
            sizes.setdefault(one.ranks, []).append(one.non_torch)
    return {ranks: found for ranks, each in sizes.items() if (found := spread(each))}
