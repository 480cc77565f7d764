"""What a catalogue file says: models, the axes their cells are spread over, and which cells are left out."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue

from .closed import Closed
from .request import Name, Ranks

AS_PUBLISHED = "as-published"
"""The weight format of a request that names none."""

SOME = Field(min_length=1, max_length=4096)
"""How many values an axis, or patterns a filter, may have."""


def _listed(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


Pattern = Annotated[str, Field(min_length=1, max_length=256)]
"""A name, in which ``*`` and ``?`` stand for anything, in upper or lower case."""

Patterns = Annotated[
    list[Pattern],
    SOME,
    BeforeValidator(_listed, json_schema_input_type=Pattern | list[Pattern]),
]
Counts = Annotated[
    list[Ranks],
    Field(min_length=1, max_length=64),
    BeforeValidator(_listed, json_schema_input_type=Ranks | list[Ranks]),
]


class GpuChoice(Closed):
    """GPU types of the catalogue by name and property, each in one or more counts."""

    gpu: Pattern = "*"
    vendor: Patterns | None = None
    architecture: Patterns | None = None
    """Generations such as ``ampere`` and ``hopper``."""
    min_memory_gib: Annotated[float, Field(ge=0)] | None = None
    """Memory that a process sees of one GPU, at least."""
    released_since: int | None = None
    """Year."""
    count: Counts = Field(default_factory=lambda: [1])
    """Numbers of GPUs, each a cell of its own."""


def _named(value: object) -> object:
    return {"gpu": value} if isinstance(value, str) else value


def _engine(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


Gpus = Annotated[GpuChoice, BeforeValidator(_named, json_schema_input_type=Pattern | GpuChoice)]
"""One may be given by its name or a pattern alone."""
Engine = Annotated[dict[str, JsonValue], BeforeValidator(_engine, json_schema_input_type=Name | dict[str, JsonValue])]
"""The field ``engine`` of a request, or the engine's name alone."""


class Axes(Closed):
    """What the cells of a model are spread over: one cell for each combination.  Null takes the catalogue file's."""

    gpus: Annotated[list[Gpus], SOME] | None = None
    weight_formats: Annotated[list[str], SOME] | None = None
    """``as-published`` leaves the format to the model."""
    kv_cache_dtypes: Annotated[list[str], SOME] | None = None
    engines: Annotated[list[Engine], SOME] | None = None
    """Names, or the field ``engine`` of a request."""
    max_model_lens: Annotated[list[int], SOME] | None = None
    concurrent_sequences: Annotated[list[int], SOME] | None = None


class ModelEntry(Axes):
    """A model, or those of the catalogue whose names a pattern matches, with what is its own."""

    name: Pattern | None = None
    """Name in the catalogue; with ``*`` or ``?`` all that match."""
    num_parameters: int | None = None
    path: Name | None = None
    """Folder or file below the model root of whoever answers."""
    repo: Name | None = None
    revision: Name | None = None
    config: str | dict[str, JsonValue] | None = None
    """The model's config.json: the file, beside the catalogue file, or what it holds."""
    quantization_config: dict[str, JsonValue] | None = None
    label: Name | None = None
    """What its cells are called; null takes the name, path, repository or file."""
    request: dict[str, JsonValue] = Field(default_factory=dict)
    """Fields of a request, laid over the catalogue file's."""


class CellFilter(Closed):
    """Cells of which all that is given here matches one of its patterns."""

    model: Patterns | None = None
    gpu: Patterns | None = None
    weight_format: Patterns | None = None
    kv_cache_dtype: Patterns | None = None
    engine: Patterns | None = None


class CatalogSettings(Axes):
    """What holds for all models of a catalogue file; in JSON Lines its first line, if that names no model."""

    request: dict[str, JsonValue] = Field(default_factory=dict)
    """Fields of every request: all but ``model``, ``request_id`` and what the axes say."""
    only: CellFilter = Field(default_factory=CellFilter)
    """Which cells are asked; all, where nothing is given."""
    exclude: list[CellFilter] = Field(default_factory=list)
    """Cells that are left out."""


def _as_it_is(value: object) -> object:
    return value


class CatalogFile(CatalogSettings):
    """A whole catalogue file."""

    models: Annotated[
        list[Annotated[Any, BeforeValidator(_as_it_is, json_schema_input_type=Pattern | ModelEntry)]],
        Field(min_length=1),
    ]
    """Names, patterns or entries, not looked into: one that is at fault becomes an error among the results."""
