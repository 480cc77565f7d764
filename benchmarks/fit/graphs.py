"""CUDA graphs: so much a sequence of a batch, so much a layer and element of hidden_size, more for experts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sizing.catalog.gpus import GIB

from .samples import Sample, hundredths
from .spread import LeftOut, Spread, left_out, spread

PROFILES = ("v0", "v1-lean")
"""Profiles whose logs show what graphs depend on."""
MOST_SEQUENCES = 512
"""Largest batch that graphs are captured for, as the rows have it."""
BYTES_PER_SEQUENCE = [step * GIB // 50 // MOST_SEQUENCES for step in range(61)]
BYTES_PER_LAYER_ELEMENT = range(0, 4001, 40)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """Coefficients of the graphs."""

    bytes_per_sequence: int
    bytes_per_layer_element: int

    def taken(self, sample: Sample) -> int:
        """Bytes of the graphs of a dense model."""
        sequences = min(sample.max_num_seqs, MOST_SEQUENCES)
        return sequences * self.bytes_per_sequence + sample.layer_elements * self.bytes_per_layer_element


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphsFit:
    """What the rows of one profile's graphs should hold."""

    fitted_on: int
    formula: Formula
    low_spread_bytes: int
    high_spread_bytes: int
    mixture_of_experts: Spread | None
    left_out: LeftOut


def fit_graphs(samples: Sequence[Sample]) -> GraphsFit:
    """The coefficients of least absolute error over the dense models among ``samples``."""
    told = [one for one in samples if one.cuda_graphs is not None]
    dense = [one for one in told if not one.is_mixture_of_experts and not one.is_left_out]
    formulas = [
        Formula(bytes_per_sequence=sequence, bytes_per_layer_element=element)
        for sequence, element in product(BYTES_PER_SEQUENCE, BYTES_PER_LAYER_ELEMENT)
    ]
    formula = min(formulas, key=lambda each: sum(abs(_residual(one, each)) for one in dense))
    residuals = [_residual(one, formula) for one in dense]
    experts = [one for one in told if one.is_mixture_of_experts and not one.is_left_out]
    return GraphsFit(
        fitted_on=len(dense),
        formula=formula,
        low_spread_bytes=hundredths(min(residuals)),
        high_spread_bytes=hundredths(max(residuals)),
        mixture_of_experts=spread([max(_residual(one, formula), 0) for one in experts]),
        left_out=left_out(
            [_residual(one, formula) for one in told if one.is_left_out and not one.is_mixture_of_experts]
        ),
    )


def _residual(one: Sample, formula: Formula) -> int:
    return (one.cuda_graphs or 0) - formula.taken(one)
