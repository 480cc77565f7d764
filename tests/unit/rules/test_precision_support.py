"""Every cell of the documented precision support is what the rules conclude, or is dissented from with a reason."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from rules.documented_releases import documented_releases
from rules.evaluate import flat
from rules.facts import SupportFacts
from rules.gather_support import kind_of
from rules.ruleset import load_rule_set
from rules.support_levels import conclude_support
from schemas.recommendation import SupportOf
from schemas.vocabulary import ENGINE_NAMES, WEIGHT_FORMATS, EngineName, WeightFormat
from sizing.catalog.formats import load_formats
from sizing.catalog.generations import Generation, find_generations
from sizing.catalog.releases import release_number

from .plain_python import PlainPython

ROOT = Path(__file__).parents[3]
PLAIN = PlainPython(load_rule_set().support)

ENGINES: dict[str, EngineName | None] = {
    "hardware": None,
    "bitsandbytes": None,
    "tensorrt_rtx": None,
    "transformer_engine": None,
    "vllm": "vllm",
    "sglang": "sglang",
    "tensorrt_llm": "tensorrt-llm",
    "llama_cpp": "llama.cpp",
}
"""The engine each name of the data means; None where the cell is about what the silicon can do."""

GGUF = tuple(name for name in WEIGHT_FORMATS if name.startswith("gguf:"))

WEIGHTS: dict[str, tuple[WeightFormat, ...]] = {
    "fp32": ("fp32",),
    "fp16": ("fp16",),
    "bf16": ("bf16",),
    "int8_w8a8": ("int8",),
    "int8_weight_only": ("int8-weight-only",),
    "int4_awq": ("awq-int4",),
    "int4_gptq": ("gptq-int4",),
    "int4_weight_only": ("awq-int4", "gptq-int4"),
    "marlin_int4": ("awq-int4", "gptq-int4"),
    "fp8_w8a8": ("fp8",),
    "fp8_block_scaled": ("fp8-block",),
    "mxfp8": ("mxfp8",),
    "mxfp4": ("mxfp4",),
    "nvfp4_w4a4": ("nvfp4",),
    "fp4_gemm": ("nvfp4",),
    "bitsandbytes": ("bnb-nf4", "bnb-int8"),
    "bitsandbytes_nf4": ("bnb-nf4",),
    "bitsandbytes_int8": ("bnb-int8",),
    "gguf": GGUF,
}
"""The weight formats of the contract that each precision of the data means."""

KV_CACHE = "fp8_kv_cache"


@dataclass(frozen=True, kw_only=True)
class Documented:
    """A cell of the data."""

    architecture: str
    compute_capability: str
    precision: str
    engine: str
    support: str
    effect: str

    @property
    def is_asked(self) -> bool:
        """Whether the contract has a format that the precision means."""
        return self.precision in WEIGHTS or self.precision == KV_CACHE

    @property
    def generation(self) -> Generation:
        """What the cell is about; of Turing, the GPUs with tensor cores."""
        several = find_generations(self.compute_capability)
        (found,) = [each for each in several if each.has_tensor_cores] or several
        assert found.architecture == self.architecture
        return found

    def concluded(self) -> list[SupportOf]:
        """What the rules conclude for each format that the precision means."""
        if self.precision == KV_CACHE:
            return [self._concluded("fp16")]
        return [self._concluded(name) for name in WEIGHTS[self.precision]]

    def _concluded(self, name: WeightFormat) -> SupportOf:
        engine = ENGINES[self.engine]
        about = self.generation
        stored = load_formats().weights[name]
        support = conclude_support(
            PLAIN.fired(
                flat(
                    SupportFacts(
                        vendor=about.vendor,
                        architecture=about.architecture,
                        compute_capability_tens=about.compute_capability_tens,
                        has_tensor_cores=about.has_tensor_cores,
                        weight_format=name,
                        weight_format_kind=kind_of(stored),
                        weight_format_is_asked=True,
                        kv_cache_dtype="fp8" if self.precision == KV_CACHE else "auto",
                        engine=engine or "vllm",
                        engine_release=release_number(documented_releases()[engine or "vllm"].version),
                    )
                )
            )
        )
        if self.precision == KV_CACHE:
            return support.kv_cache if engine else support.kv_cache_by_hardware
        return support.weights if engine else support.weights_by_hardware

    def dissent(self) -> tuple[str, ...] | None:
        """Its row in docs/dissent.md, the reason apart, or None where the rules agree."""
        documented = f"{self.support}, {self.effect}"
        concluded = dict.fromkeys(f"{each.level}, {each.effect}" for each in self.concluded())
        if list(concluded) == [documented]:
            return None
        return (self.engine, self.compute_capability, self.precision, documented, "; ".join(concluded))


def documented() -> list[Documented]:
    """Every cell of the data."""
    with (ROOT / "tests" / "data" / "precision_support.csv").open(encoding="utf-8") as file:
        names = Documented.__dataclass_fields__
        return [Documented(**{name: row[name] for name in names}) for row in csv.DictReader(file)]


def table(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table below ``heading`` in docs/dissent.md."""
    text = (ROOT / "docs" / "dissent.md").read_text(encoding="utf-8")
    below = text.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in below.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines[2:]]


CELLS = documented()


def test_the_data_are_whole() -> None:
    """There are 663 cells, as counted in the file, each about another thing."""
    assert len(CELLS) == len(
        {(cell.architecture, cell.compute_capability, cell.precision, cell.engine) for cell in CELLS}
    )
    assert len(CELLS) == 663


def test_every_cell_agrees_or_is_dissented_from() -> None:
    """docs/dissent.md lists exactly the cells that the rules differ from, each with a reason."""
    expected = [row for cell in CELLS if cell.is_asked and (row := cell.dissent())]
    listed = table("Dissent")
    assert sorted(row[:-1] for row in listed) == sorted(expected), (
        "bring the table Dissent of docs/dissent.md up to date"
    )
    assert all(len(row[-1]) > 40 for row in listed)


def test_what_is_not_asked_is_listed() -> None:
    """docs/dissent.md lists the precisions that are no format of the contract, with how many cells and why."""
    left_out = Counter((cell.engine, cell.precision) for cell in CELLS if not cell.is_asked)
    listed = table("Not asked")
    assert {row[:2]: int(row[2]) for row in listed} == dict(left_out)
    assert all(len(row[-1]) > 40 for row in listed)


def test_the_page_counts_right() -> None:
    """The number of cells that agree, as docs/dissent.md says it, is that of the data."""
    agreed = sum(cell.is_asked and cell.dissent() is None for cell in CELLS)
    assert f" {agreed} cells agree" in (ROOT / "docs" / "dissent.md").read_text(encoding="utf-8")


def test_every_name_of_the_data_is_known() -> None:
    """No engine of the data is left out, and every engine of the contract that it tells of is compared."""
    assert {cell.engine for cell in CELLS} == set(ENGINES)
    assert {name for name in ENGINES.values() if name} == set(ENGINE_NAMES) - {"transformers"}


@pytest.mark.parametrize(
    "cell", [("vllm", "7.0", "gguf"), ("hardware", "8.6", "fp8_w8a8"), ("hardware", "8.0", KV_CACHE)]
)
def test_a_difference_would_be_seen(cell: tuple[str, str, str]) -> None:
    """A cell that says otherwise than the rules is a dissent."""
    (found,) = [each for each in CELLS if (each.engine, each.compute_capability, each.precision) == cell]
    assert found.dissent() is None
    other = Documented(**{**vars(found), "effect": "compute+memory"})
    assert other.dissent() is not None
