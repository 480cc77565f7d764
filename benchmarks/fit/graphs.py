"""CUDA graphs: so much a sequence of a batch, so much a layer and element of hidden_size, more for experts."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from sizing.catalog.gpus import GIB

from .formula_fit import FormulaFit, fit_formula
from .samples import Sample

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


def fit_graphs(samples: Sequence[Sample]) -> FormulaFit[Formula]:
    """The coefficients of least absolute error over the dense models among ``samples``."""
    told = [one for one in samples if one.cuda_graphs is not None]
    return fit_formula(told, _least_absolute, _residual)


def _least_absolute(samples: Sequence[Sample]) -> Formula:
    formulas = [
        Formula(bytes_per_sequence=sequence, bytes_per_layer_element=element)
        for sequence, element in product(BYTES_PER_SEQUENCE, BYTES_PER_LAYER_ELEMENT)
    ]
    return min(formulas, key=lambda each: sum(abs(_residual(one, each)) for one in samples))


def _residual(one: Sample, formula: Formula) -> int:
    return (one.cuda_graphs or 0) - formula.taken(one)
