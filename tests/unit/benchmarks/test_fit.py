import pytest

from benchmarks.fit.fits import Fit, fits, profile_of
from sizing.catalog.activation import Activation
from sizing.catalog.gpus import GIB
from sizing.catalog.spread import RanksSpread

WELL_MEASURED = 5
"""Logs from which a row takes the middle as it is; with fewer it may say that it assumes another."""

NAMES = [fit.profile for fit in fits()]


@pytest.mark.parametrize("fit", fits(), ids=NAMES)
def test_rows_hold_the_fitted_coefficients_of_activations(fit: Fit) -> None:
    """The activation formula of each fitted profile is the one that python -m benchmarks.fit prints."""
    found, rows = fit.activation, profile_of(fit.profile).activation
    assert found is not None
    assert isinstance(rows, Activation)
    assert rows.sampler.constant_bytes == found.formula.constant_bytes
    assert rows.sampler.bytes_per_row_and_vocabulary_entry_tenths == found.formula.sampler_tenths
    assert rows.forward.bytes_per_element_tenths == found.formula.forward_tenths
    assert rows.low_spread_bytes <= found.low_spread_bytes
    assert rows.high_spread_bytes >= found.high_spread_bytes
    if found.mixture_of_experts:
        assert rows.mixture_of_experts_bytes.expected == found.mixture_of_experts.expected
        assert rows.mixture_of_experts_bytes.high >= found.mixture_of_experts.high


@pytest.mark.parametrize("fit", [fit for fit in fits() if fit.cuda_graphs], ids=lambda fit: fit.profile)
def test_rows_hold_the_fitted_coefficients_of_graphs(fit: Fit) -> None:
    """The formula of graphs is the one that python -m benchmarks.fit prints, and its range holds every fitted log."""
    found, rows = fit.cuda_graphs, profile_of(fit.profile).cuda_graphs
    assert found is not None
    assert rows.bytes_per_sequence == found.formula.bytes_per_sequence
    assert rows.bytes_per_layer_and_hidden_element == found.formula.bytes_per_layer_element
    assert rows.low_spread_bytes <= found.low_spread_bytes
    assert rows.high_spread_bytes >= found.high_spread_bytes
    if found.mixture_of_experts:
        assert rows.mixture_of_experts_bytes.low <= found.mixture_of_experts.low
        assert rows.mixture_of_experts_bytes.expected == found.mixture_of_experts.expected
        assert rows.mixture_of_experts_bytes.high >= found.mixture_of_experts.high


@pytest.mark.parametrize("fit", fits(), ids=NAMES)
def test_rows_span_what_was_measured(fit: Fit) -> None:
    """Non-torch memory: the range holds every fitted log, and the middle is theirs where there are some."""
    by_ranks: dict[str, RanksSpread] = {}
    for row in profile_of(fit.profile).non_torch:
        # The logs are those of H100 SXM, whose rows come first.
        by_ranks.setdefault(row.ranks, row)
    for ranks, spread in fit.non_torch.items():
        held = by_ranks[ranks]
        assert held.low <= spread.low
        assert held.high >= spread.high
        if spread.count >= WELL_MEASURED:
            assert held.expected == spread.expected


def test_models_left_out_are_met() -> None:
    """On vLLM 0.17 to 0.20 the formulas miss the models they never saw by less than 0.1 GiB in the middle."""
    lean = next(fit for fit in fits() if fit.profile == "v1-lean")
    for found in (lean.activation, lean.cuda_graphs):
        assert found is not None
        assert found.left_out.count >= 10
        assert found.left_out.median_bytes < 0.1 * GIB
