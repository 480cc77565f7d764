"""Counts against ``tests/data/model_params.csv``: published totals, and an independent meta-device count."""

import csv
from pathlib import Path

import pytest

from sizing.catalog.models import catalog_model, load_models
from sizing.model import Model
from tests.unit.sizing.weighing import unquantized

TABLE = Path(__file__).parents[2] / "data" / "model_params.csv"

EXPLAINED = {
    # Rotary frequency buffers saved in the checkpoint: head_dim / 2 numbers a layer.
    "meta-llama/Llama-2-7b-hf": 32 * 64,
    "meta-llama/Llama-2-13b-hf": 40 * 64,
    "meta-llama/Llama-2-70b-hf": 80 * 64,
    # The tied output matrix is stored a second time: vocab_size x hidden_size.
    "tiiuae/falcon-180B": 65_024 * 14_848,
    # One float32 scale a 128 x 128 block: experts, then q and o, then k and v, of 62 layers.
    "MiniMaxAI/MiniMax-M2.5": 62 * (256 * 3 * 12 * 24 + 2 * 48 * 24 + 2 * 8 * 24),
    # Its multi-token-prediction layer shares embedding and output matrix with the model.
    "zai-org/GLM-4.6": -2 * 151_552 * 5120,
    # One float32 scale a 128 x 128 block: q_a, q_b, kv_a, kv_b and o of 62 layers, 256 experts and a shared one of
    # 59, three dense layers.  The total of DeepSeek-R1, the same layers, leaves scales out.
    "deepseek-ai/DeepSeek-V3": (
        62 * (12 * 56 + 192 * 12 + 5 * 56 + 256 * 4 + 56 * 128) + 59 * 257 * 3 * 16 * 56 + 3 * 3 * 144 * 56
    ),
    # The same, wq_b and wk of the indexer after o.
    **dict.fromkeys(
        ("zai-org/GLM-5-FP8", "zai-org/GLM-5.1-FP8"),
        79 * (16 * 48 + 128 * 16 + 5 * 48 + 224 * 4 + 48 * 128 + 32 * 16 + 48)
        + 76 * 257 * 3 * 16 * 48
        + 3 * 3 * 96 * 48,
    ),
    # Rotary frequency buffers again: hidden_size / heads / 2 numbers a layer.
    "moonshotai/Kimi-K2-Instruct": 61 * 7168 // 64 // 2,
    "moonshotai/Moonlight-16B-A3B-Instruct": 27 * 2048 // 16 // 2,
    # These totals leave out the float32 tensors: one routing bias an expert layer, that of prediction included.
    "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16": -23 * 128,
    "nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8": -(40 + 1) * 512,
    # The audio tower, which our copy of the config leaves out (transformers counts it so), a scalar for each of 35
    # layers, and keys, values and their norm of the layers that use those of another: 16 within a window, 4 in full.
    "google/gemma-4-E2B-it": 307_183_904 + 35 + 16 * (2 * 256 * 1536 + 256) + 4 * (2 * 512 * 1536 + 512),
}
"""What a published total has beyond the model and its multi-token-prediction layers, from first principles."""


def _totals() -> list[tuple[str, int]]:
    """Totals of checkpoints; counts of what transformers builds have a test of their own."""
    with TABLE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["total_params_basis"].startswith("published")]
    return [(row["model"], int(row["total_params"])) for row in rows]


def _covered() -> list[tuple[str, int, Model]]:
    return [(name, total, model) for name, total in _totals() if (model := unquantized(name))]


def _ahead(model: Model) -> int:
    return model.multi_token_prediction.num_parameters


@pytest.mark.parametrize(("name", "total", "model"), _covered())
def test_counts_equal_the_published_totals(name: str, total: int, model: Model) -> None:
    """A covered model has exactly the parameters its checkpoint has, each difference explained."""
    assert model.num_parameters + _ahead(model) + EXPLAINED.get(name, 0) == total


def test_the_table_covers_most_of_what_is_covered() -> None:
    """The comparison is about many families, not a few."""
    families = {model.family for _, _, model in _covered()}
    assert len(_covered()) >= 80
    assert len(families) >= 19


@pytest.mark.parametrize(
    ("name", "billions"),
    [("Qwen/Qwen3-30B-A3B", 3.3), ("Qwen/Qwen3-235B-A22B", 22.2), ("mistralai/Mixtral-8x7B-v0.1", 12.9)],
)
def test_active_parameters_are_those_a_token_passes_through(name: str, billions: float) -> None:
    """Active parameters match what the publishers state for their mixtures of experts."""
    assert catalog_model(name).num_active_parameters / 1e9 == pytest.approx(billions, rel=0.02)


def test_the_size_a_model_is_known_by_is_near_its_count() -> None:
    """A nominal size in the catalogue is within 3 % of the exact count, so the rule of thumb may use it."""
    checked = 0
    for row in load_models().models:
        if row.nominal_num_parameters and (model := unquantized(row.name)):
            checked += 1
            assert row.nominal_num_parameters == pytest.approx(model.num_parameters, rel=0.03)
    assert checked >= 50


def test_every_explanation_is_of_a_model_that_is_compared() -> None:
    """No explained difference outlives the comparison that it explains."""
    assert set(EXPLAINED) <= {name for name, _, _ in _covered()}
