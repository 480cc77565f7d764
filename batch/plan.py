"""A catalogue file made definite: every name and pattern looked up, so that its cells stay the same for ever."""

from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from schemas.bounds import refuse_beyond_bounds
from schemas.catalog_file import AS_PUBLISHED, Axes, CatalogFile, CellFilter, GpuChoice, ModelEntry
from schemas.closed import Closed
from schemas.errors import InvalidRequestError, UnknownGpuError, UnknownModelError, WeighbridgeError
from schemas.parse import decode, parse
from schemas.recommendation import ErrorAnswer, ErrorDetail
from schemas.request import MODEL_KEYS
from sizing.catalog.gpus import Gpu, load_gpus
from sizing.catalog.models import load_models

from .json_text import json_text
from .patterns import is_pattern, matches

GIB = 2**30


class AxisValues(Closed):
    """The values that the cells of some entries take, in turn; one that is null leaves the field out."""

    gpus: list[tuple[str, int]]
    """Type and count."""
    weight_formats: list[str | None]
    kv_cache_dtypes: list[str | None]
    engines: list[dict[str, JsonValue] | None]
    max_model_lens: list[int | None]
    concurrent_sequences: list[int | None]


class PlanEntry(Closed):
    """One model with what its cells have in common."""

    label: str
    model: dict[str, JsonValue]
    """The request's field ``model``."""
    request: dict[str, JsonValue]
    """Other fields of the request; the axes are laid over them."""
    axes: int
    """Which of the plan's axes are its own."""
    error: ErrorDetail | None = None
    """Why it cannot be asked: it is one cell then."""


class Plan(Closed):
    """All that is to be asked, as it is kept with the batch."""

    axes: list[AxisValues]
    """Shared by entries: a hundred thousand models on the same GPUs have them once."""
    entries: list[PlanEntry]
    """Those of one model stand together."""
    exclude: list[CellFilter]


def plan(catalog: CatalogFile, folder: Path, only: CellFilter) -> Plan:
    """The plan of ``catalog``, whose files are below ``folder``; ``only`` narrows it further.

    Raises: InvalidRequestError where what holds for all models is at fault.
    """
    _refuse_reserved(catalog.request)
    filters = (catalog.only, only)
    axes: dict[tuple[str, ...], int] = {}
    values: list[AxisValues] = []
    entries: list[PlanEntry] = []
    for index, value in enumerate(catalog.models):
        for entry, own in _entries(value, f"models[{index}]", catalog, folder):
            if not all(matches(each.model, entry.label) for each in filters):
                continue
            said = tuple(repr(getattr(own, axis)) for axis in Axes.model_fields)
            if said not in axes:
                axes[said] = len(values)
                values.append(_axis_values(own, catalog, filters))
            entries.append(entry.model_copy(update={"axes": axes[said]}))
    together: dict[str, list[PlanEntry]] = {}
    for entry in entries:
        together.setdefault(json_text(entry.model), []).append(entry)
    return Plan(axes=values, entries=[each for same in together.values() for each in same], exclude=catalog.exclude)


def _entries(value: object, place: str, catalog: CatalogFile, folder: Path) -> Iterator[tuple[PlanEntry, Axes]]:
    """The entries that one value of ``models`` stands for, each with its own axes; what is at fault is one too."""
    try:
        refuse_beyond_bounds(value)
        asked = parse({"name": value} if isinstance(value, str) else value, ModelEntry, "model")
        _refuse_reserved(asked.request)
        request = _laid_over(catalog.request, asked.request)
        for label, model in _models(asked, folder):
            yield PlanEntry(label=asked.label or label, model=model, request=request, axes=0), asked
    except WeighbridgeError as error:
        detail = ErrorAnswer.of("", error).error
        yield PlanEntry(label=_called(value, place), model={}, request={}, axes=0, error=detail), Axes()


def _called(value: object, place: str) -> str:
    """What an entry at fault is called: as it says, or else by its place."""
    said = [value, value.get("label"), value.get("name")] if isinstance(value, dict) else [value]
    return next((each[:256] for each in said if isinstance(each, str)), place)


def _refuse_reserved(request: Mapping[str, JsonValue]) -> None:
    if reserved := {"model", "request_id"} & request.keys():
        field = f"request.{min(reserved)}"
        raise InvalidRequestError(f"{field}: it is another in each cell", field=field, hint="leave it out")


def _laid_over(below: Mapping[str, JsonValue], above: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Both, with objects laid over objects field by field, and all else replaced."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _laid_over(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _models(entry: ModelEntry, folder: Path) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    """The models an entry stands for: how each is called, and the request's field ``model``."""
    given = {key: value for key in MODEL_KEYS if (value := getattr(entry, key)) is not None}
    if len(given) != 1:
        raise InvalidRequestError(
            "model: give exactly one of name, num_parameters, config, path or repo", field="model"
        )
    ((kind, value),) = given.items()
    match kind:
        case "name" if is_pattern(value):
            names = [row.name for row in load_models().models if matches([value], row.name)]
            for name in names or [value]:
                yield name, {"name": name}
        case "name":
            name = _canonical_model(value)
            yield name, {"name": name}
        case "config":
            config = value if isinstance(value, dict) else _read_config(folder / value)
            also = {} if (other := entry.quantization_config) is None else {"quantization_config": other}
            yield value if isinstance(value, str) else "config", {"config": config, **also}
        case "repo":
            yield value, {"repo": value} if entry.revision is None else {"repo": value, "revision": entry.revision}
        case _:
            yield str(value), {kind: value}


def _canonical_model(name: str) -> str:
    try:
        return load_models().find(name).name
    except UnknownModelError:
        return name


def _read_config(path: Path) -> dict[str, JsonValue]:
    try:
        value = decode(path.read_bytes())
    except OSError as error:
        raise InvalidRequestError(
            f"config: {path}: {error.strerror}", field="config", hint="name a file beside the catalogue file"
        ) from None
    if not isinstance(value, dict):
        raise InvalidRequestError(f"config: {path}: no JSON object", field="config")
    refuse_beyond_bounds(value)
    return value


def _axis_values(own: Axes, catalog: CatalogFile, filters: tuple[CellFilter, ...]) -> AxisValues:
    """The values of an entry's cells: its own where it has some, else the catalogue file's."""

    def of(axis: str) -> list[Any]:
        values = [
            None if each == AS_PUBLISHED else each for each in getattr(own, axis) or getattr(catalog, axis) or [None]
        ]
        return list({json_text(value): value for value in values}.values())

    chosen = own.gpus or catalog.gpus or [GpuChoice()]
    gpus = dict.fromkeys(each for choice in chosen for each in _gpus(choice))
    return AxisValues(
        gpus=[(gpu, count) for gpu, count in gpus if all(matches(each.gpu, gpu) for each in filters)],
        weight_formats=[
            each for each in of("weight_formats") if all(matches(only.weight_format, each) for only in filters)
        ],
        kv_cache_dtypes=[
            each for each in of("kv_cache_dtypes") if all(matches(only.kv_cache_dtype, each) for only in filters)
        ],
        engines=[each for each in of("engines") if all(matches(only.engine, engine_name(each)) for only in filters)],
        max_model_lens=of("max_model_lens"),
        concurrent_sequences=of("concurrent_sequences"),
    )


def engine_name(engine: Mapping[str, JsonValue] | None) -> str | None:
    """The name in the field ``engine`` of a request; None where it has none."""
    name = None if engine is None else engine.get("name")
    return name if isinstance(name, str) else None


def _gpus(choice: GpuChoice) -> Iterator[tuple[str, int]]:
    """The GPU types of a choice by their names in the catalogue, each with each count."""
    if is_pattern(choice.gpu):
        names = [gpu.name for gpu in load_gpus().gpus if matches([choice.gpu], gpu.name) and _suits(gpu, choice)]
    else:
        try:
            gpu = load_gpus().find(choice.gpu)
            names = [gpu.name] if _suits(gpu, choice) else []
        except UnknownGpuError:
            names = [choice.gpu]
    yield from product(names, choice.count)


def _suits(gpu: Gpu, choice: GpuChoice) -> bool:
    return (
        matches(choice.vendor, gpu.vendor)
        and matches(choice.architecture, gpu.architecture)
        and gpu.memory_bytes >= (choice.min_memory_gib or 0) * GIB
        and gpu.release_year >= (choice.released_since or 0)
    )
