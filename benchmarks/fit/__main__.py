"""Print the rows."""

from collections.abc import Iterator

from sizing.catalog.gpus import GIB

from . import activation, graphs
from .fits import fits
from .formula_fit import FormulaFit
from .spread import Spread


def _activation(fit: FormulaFit[activation.Formula]) -> Iterator[str]:
    formula = fit.formula
    yield f"activation, {fit.fitted_on} dense logs"
    yield f"  constant_bytes: {formula.constant_bytes}  # {formula.constant_bytes / GIB:.2f} GiB"
    yield f"  sampler, bytes_per_row_and_vocabulary_entry_tenths: {formula.sampler_tenths}"
    yield f"  forward, bytes_per_element_tenths: {formula.forward_tenths}"
    yield from _spreads(fit.low_spread_bytes, fit.high_spread_bytes, fit.mixture_of_experts)
    yield f"  {fit.left_out}"


def _graphs(fit: FormulaFit[graphs.Formula]) -> Iterator[str]:
    formula = fit.formula
    yield f"cuda_graphs, {fit.fitted_on} dense logs"
    yield f"  bytes_per_sequence: {formula.bytes_per_sequence}"
    yield f"  bytes_per_layer_and_hidden_element: {formula.bytes_per_layer_element}"
    yield from _spreads(fit.low_spread_bytes, fit.high_spread_bytes, fit.mixture_of_experts)
    yield f"  {fit.left_out}"


def _spreads(low: int, high: int, experts: Spread | None) -> Iterator[str]:
    yield f"  low_spread_bytes: {low}  # {low / GIB:.2f} GiB"
    yield f"  high_spread_bytes: {high}  # {high / GIB:.2f} GiB"
    if experts:
        yield f"  mixture_of_experts_bytes: {experts}"


for each in fits():
    print(each.profile)
    for line in (
        *(_activation(each.activation) if each.activation else ()),
        *(f"non_torch, {ranks}: {found}" for ranks, found in sorted(each.non_torch.items())),
        *(_graphs(each.cuda_graphs) if each.cuda_graphs else ()),
    ):
        print(f"  {line}")
