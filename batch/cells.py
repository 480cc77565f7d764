"""The cells of a plan, one at a time: what each is called, and what it asks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import groupby, product
from operator import attrgetter
from typing import Any

from pydantic import JsonValue

from schemas.catalog_file import CellFilter
from schemas.recommendation import ErrorDetail

from .json_text import json_text
from .patterns import matches
from .plan import AxisValues, Plan, PlanEntry, engine_name

Coordinates = tuple[tuple[str, int], str | None, str | None, "dict[str, JsonValue] | None", int | None, int | None]
"""GPU and count, weight format, kv cache dtype, engine, max_model_len, concurrent sequences."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One deployment to weigh."""

    number: int
    """Its place in the plan, from 0."""
    entry: PlanEntry
    coordinates: Coordinates

    @property
    def error(self) -> ErrorDetail | None:
        """Why it cannot be asked; None where it can."""
        return self.entry.error

    def asked(self) -> dict[str, JsonValue]:
        """What it asks: a request without its model and id."""
        if self.entry.error is not None:
            return {}
        (gpu, count), weight_format, kv_cache_dtype, engine, max_model_len, concurrent_sequences = self.coordinates
        asked: dict[str, Any] = {"alternatives": 0, **self.entry.request}
        asked["hardware"] = {**_fields(asked, "hardware"), "gpu": gpu, "count": count}
        if weight_format is not None:
            asked["weight_format"] = weight_format
        if kv_cache_dtype is not None:
            asked["kv_cache_dtype"] = kv_cache_dtype
        if engine is not None:
            asked["engine"] = {**_fields(asked, "engine"), **engine}
        workload = {"max_model_len": max_model_len, "concurrent_sequences": concurrent_sequences}
        if given := {name: value for name, value in workload.items() if value is not None}:
            asked["workload"] = {**_fields(asked, "workload"), **given}
        return asked


def _fields(asked: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The fields of one object of a request; none where it is something else, which the axis replaces."""
    value = asked.get(name)
    return value if isinstance(value, dict) else {}


def cells(plan: Plan) -> Iterator[Cell]:
    """Every cell once, in the plan's order."""
    number = 0
    for entry, coordinates in _distinct(plan):
        if not any(_is_excluded(each, entry, coordinates) for each in plan.exclude):
            yield Cell(number, entry, coordinates)
            number += 1


def count(plan: Plan) -> int:
    """How many cells there are."""
    return sum(1 for _ in cells(plan))


def _distinct(plan: Plan) -> Iterator[tuple[PlanEntry, Coordinates]]:
    """Entries with coordinates, without those that ask what another entry of the same model asked."""
    for _, same in groupby(plan.entries, key=attrgetter("model")):
        entries = list(same)
        seen: set[bytes] = set()
        for entry in entries:
            if entry.error is not None:
                yield entry, (("", 0), None, None, None, None, None)
                continue
            for coordinates in _product(plan.axes[entry.axes]):
                # A model that stands there once repeats nothing, and nothing of it need be remembered.
                if len(entries) > 1:
                    digest = _digest(entry, coordinates)
                    if digest in seen:
                        continue
                    seen.add(digest)
                yield entry, coordinates


def _digest(entry: PlanEntry, coordinates: Coordinates) -> bytes:
    text = json_text([entry.request, [*coordinates[0]], *coordinates[1:]])
    return blake2b(text.encode(), digest_size=16).digest()


def _product(axes: AxisValues) -> Iterator[Coordinates]:
    return product(
        axes.gpus,
        axes.weight_formats,
        axes.kv_cache_dtypes,
        axes.engines,
        axes.max_model_lens,
        axes.concurrent_sequences,
    )


def _is_excluded(excluded: CellFilter, entry: PlanEntry, coordinates: Coordinates) -> bool:
    (gpu, _), weight_format, kv_cache_dtype, engine, *_ = coordinates
    return (
        matches(excluded.model, entry.label)
        and matches(excluded.gpu, gpu)
        and matches(excluded.weight_format, weight_format)
        and matches(excluded.kv_cache_dtype, kv_cache_dtype)
        and matches(excluded.engine, engine_name(engine))
    )
