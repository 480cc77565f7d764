"""What the page shows of each answer but for its findings, column by column."""

from array import array
from collections.abc import Mapping
from typing import get_args

from pydantic import JsonValue

from schemas.closed import Closed
from schemas.recommendation import Alternative, ErrorAnswer, Recommendation
from schemas.vocabulary import VERDICTS, Locale, SupportLevel, WeightFormat
from sizing.catalog.formats import load_formats

from ..json_text import json_text
from .columns import Codes, Figures, narrowed

_ERROR = "error"
"""Stands among the verdicts for a cell that has none."""

_MATRIX_FIGURES = (
    "usable_bytes",
    "weights_bytes",
    "kv_cache_bytes",
    "activation_bytes",
    "overhead_bytes",
    "max_concurrency",
)
_PANEL_FIGURES = (
    "low_bytes",
    "high_bytes",
    "outside_low_bytes",
    "outside_needed_bytes",
    "outside_high_bytes",
    "outside_room_bytes",
    "fewest_gpus",
    "longest_max_model_len",
)
_PANEL_PARTS = ("evidence", "deployment", "error")


class AnswerColumns:
    """The answers, cell by cell."""

    def __init__(self) -> None:
        self._verdict: Codes[str] = Codes((*VERDICTS, _ERROR))
        self._format: Codes[WeightFormat | None] = Codes([None])
        self._versions: Codes[tuple[str, str, str] | None] = Codes([None])
        self._support: Codes[Closed | None] = Codes([None])
        self._parts: dict[str, Codes[Closed | None]] = {name: Codes([None]) for name in _PANEL_PARTS}
        self._offers: Codes[str | None] = Codes([None])
        self._figures = {name: Figures() for name in (*_MATRIX_FIGURES, *_PANEL_FIGURES)}

    def add(self, answer: Recommendation | ErrorAnswer, locale: Locale) -> None:
        """Give the next cell ``answer``, whose sentences are in ``locale``."""
        found = answer if isinstance(answer, Recommendation) else None
        self._verdict.add(found.verdict if found else _ERROR)
        self._format.add(found.model.weight_format if found else None)
        versions = found.versions if found else None
        self._versions.add((versions.weighbridge, versions.rules, versions.catalog) if versions else None)
        self._support.add(found.support if found else None)
        self._parts["evidence"].add(found.evidence if found else None)
        self._parts["deployment"].add(found.deployment if found else None)
        self._parts["error"].add(answer.error if isinstance(answer, ErrorAnswer) else None)
        self._offers.add(_offer(found, locale) if found else None)
        figures = _figures(found) if found else {}
        for name, column in self._figures.items():
            column.add(figures.get(name))

    def versions(self) -> list[JsonValue]:
        """The versions that answers carry, with how many cells have them, most first."""
        known = self._versions.values
        counts = [0] * len(known)
        for number in self._versions.cells:
            counts[number] += 1
        told = [(count, each) for count, each in zip(counts, known, strict=True) if each is not None]
        return [
            {"weighbridge": weighbridge, "rules": rules, "catalog": catalog, "cells": count}
            for count, (weighbridge, rules, catalog) in sorted(told, reverse=True)
        ]

    def matrix_head(self) -> dict[str, JsonValue]:
        """What the codes in the columns of the matrix stand for."""
        stored = load_formats().weights
        levels: tuple[SupportLevel, ...] = get_args(SupportLevel)
        return {
            "verdicts": [*self._verdict.values],
            "levels": [*levels],
            "formats": [{"name": name, "bits": stored[name].bits} if name else None for name in self._format.values],
            "supports": _dumped(self._support),
        }

    def matrix_arrays(self) -> dict[str, "array[int] | array[float]"]:
        """The columns that the matrix and the lists are drawn from."""
        arrays: dict[str, array[int] | array[float]] = {
            "verdict": narrowed(self._verdict.cells),
            "format": narrowed(self._format.cells),
            "support": narrowed(self._support.cells),
        }
        for name in _MATRIX_FIGURES:
            arrays |= self._figures[name].arrays(name)
        return arrays

    def panel_head(self) -> dict[str, JsonValue]:
        """What the codes in the columns of the panel stand for."""
        parts: dict[str, JsonValue] = {name: _dumped(codes) for name, codes in self._parts.items()}
        return {**parts, "offers": [*self._offers.values], "figures": [*_PANEL_FIGURES]}

    def panel_arrays(self) -> dict[str, "array[int] | array[float]"]:
        """The columns that only the panel shows."""
        arrays: dict[str, array[int] | array[float]] = {
            name: narrowed(codes.cells) for name, codes in self._parts.items()
        }
        arrays["offers"] = narrowed(self._offers.cells)
        for name in _PANEL_FIGURES:
            arrays |= self._figures[name].arrays(name)
        return arrays


def _dumped(codes: Codes[Closed | None]) -> list[JsonValue]:
    return [part.model_dump(mode="json") if part else None for part in codes.values]


def _figures(found: Recommendation) -> Mapping[str, float | None]:
    need, outside, cache = found.per_gpu, found.outside_budget, found.kv_cache
    figures: dict[str, float | None] = {
        "usable_bytes": need.usable_bytes,
        "weights_bytes": need.weights_bytes,
        "kv_cache_bytes": need.kv_cache_bytes,
        "activation_bytes": need.activation_bytes,
        "overhead_bytes": need.overhead_bytes,
        "low_bytes": found.range.low_bytes,
        "high_bytes": found.range.high_bytes,
        "fewest_gpus": found.fewest_gpus,
    }
    if outside:
        figures |= {f"outside_{name}": value for name, value in outside}
    if cache:
        figures |= {
            "max_concurrency": cache.max_concurrency,
            "longest_max_model_len": cache.longest_max_model_len,
        }
    return figures


def _offer(found: Recommendation, locale: Locale) -> str | None:
    """The alternatives in the answer, as JSON; None where there are none."""
    if not found.alternatives and not found.nearest_miss:
        return None
    return json_text(
        {
            "locale": locale,
            "alternatives": [_told(each) for each in found.alternatives],
            "nearest_miss": _told(found.nearest_miss) if found.nearest_miss else None,
        }
    )


def _told(other: Alternative) -> JsonValue:
    return {
        "changes": dict(other.changes),
        "arguments": [*other.arguments],
        "why": other.why,
        "verdict": other.verdict,
        "total_bytes": other.per_gpu.total_bytes,
        "usable_bytes": other.per_gpu.usable_bytes,
    }
