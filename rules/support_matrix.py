"""The support rules asked about everything: a cell for each GPU generation, format and engine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal

from schemas.recommendation import SupportOf
from schemas.vocabulary import ENGINE_NAMES, EngineName, KvCacheDtype, WeightFormat
from sizing.catalog.formats import load_formats
from sizing.catalog.generations import Generation
from sizing.catalog.releases import release_number

from .documented_releases import documented_releases
from .evaluate import Evaluator
from .facts import SupportFacts
from .gather_support import support_facts
from .ruleset import RuleSet

Column = EngineName | Literal["hardware"]
"""An engine, or the silicon itself."""

COLUMNS: tuple[Column, ...] = ("hardware", *ENGINE_NAMES)
"""The silicon itself, then every engine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How well one format is supported on one generation, in one engine or by the silicon itself."""

    generation: Generation
    weight_format: WeightFormat | None
    """None where the cell is about a kv cache."""
    kv_cache_dtype: KvCacheDtype | None
    """None where the cell is about weights."""
    column: Column
    support: SupportOf
    source: str
    """That of the rule which decided."""


class SupportMatrix:
    """A rule set, ready to fill in the cells of any part of the cross product."""

    def __init__(self, rule_set: RuleSet, releases: Mapping[EngineName, str] | None = None) -> None:
        self._evaluator = Evaluator(rule_set)
        self._sources = {rule.id: rule.source for rule in rule_set.support}
        described = {name: release.version for name, release in documented_releases().items()}
        self.releases = {**described, **(releases or {})}
        """The release of each engine that the cells are about."""

    def cells(
        self,
        generations: Iterable[Generation],
        columns: Sequence[Column],
        weight_formats: Sequence[WeightFormat],
        kv_cache_dtypes: Sequence[KvCacheDtype],
    ) -> list[Cell]:
        """A cell for each combination; weights are asked for by name, beside a kv cache that is left alone."""
        things: list[tuple[WeightFormat | None, KvCacheDtype | None]]
        things = [(name, None) for name in weight_formats] + [(None, dtype) for dtype in kv_cache_dtypes]
        asked = list(product(generations, columns, things))
        return [self._cell(generation, column, name, dtype) for generation, column, (name, dtype) in asked]

    def _facts(
        self, generation: Generation, column: Column, name: WeightFormat | None, dtype: KvCacheDtype | None
    ) -> SupportFacts:
        stored = load_formats().weights[name or "fp16"]
        # What the silicon does never depends on the engine, so that any will do.
        engine: EngineName = "vllm" if column == "hardware" else column
        return support_facts(
            generation,
            stored,
            weight_format_is_asked=True,
            kv_cache_dtype=dtype or "auto",
            engine=engine,
            engine_release=release_number(self.releases[engine]),
        )

    def _cell(
        self,
        generation: Generation,
        column: Column,
        name: WeightFormat | None,
        dtype: KvCacheDtype | None,
    ) -> Cell:
        concluded = self._evaluator.support(self._facts(generation, column, name, dtype))
        if column == "hardware":
            support = concluded.weights_by_hardware if name else concluded.kv_cache_by_hardware
        else:
            support = concluded.weights if name else concluded.kv_cache
        return Cell(
            generation=generation,
            weight_format=name,
            kv_cache_dtype=dtype,
            column=column,
            support=support,
            source=self._sources[support.rule],
        )
