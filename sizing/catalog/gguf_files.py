"""What the header of a GGUF file says in numbers and names; rows of ``gguf_files.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from schemas.vocabulary import WeightFormat

from .rows import CLOSED, read_yaml

Keys = Mapping[str, tuple[str, ...]]
"""Fields of a config by the keys that may hold the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """A ``general.architecture``, and the class whose config.json a file of it stands for."""

    __pydantic_config__ = CLOSED

    name: str
    family: str
    experts: str | None = None
    """The class where there are experts, if another."""
    routing_bias: str | None = None
    """The class where the router has a bias, if another."""
    is_latent: bool = False
    """Whether widths of heads are those of latent attention."""
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Fields beside those of every architecture, or in their place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Types:
    __pydantic_config__ = CLOSED

    source: str
    numbers: dict[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileTypes:
    __pydantic_config__ = CLOSED

    source: str
    numbers: dict[int, WeightFormat]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dtype:
    __pydantic_config__ = CLOSED

    value: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Modules:
    __pydantic_config__ = CLOSED

    source: str
    names: dict[str, str]
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Architectures:
    __pydantic_config__ = CLOSED

    source: str
    rows: tuple[Architecture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    __pydantic_config__ = CLOSED

    types: _Types
    file_types: _FileTypes
    dtype: _Dtype
    modules: _Modules
    fields: dict[str, tuple[str, ...]]
    flags: dict[str, str]
    architectures: _Architectures


class GgufFileCatalog:
    """Types, names and architectures by what a header calls them."""

    def __init__(self, rows: _Rows) -> None:
        self.types = rows.types.numbers
        self.file_types = rows.file_types.numbers
        self.dtype = rows.dtype.value
        """What the weights that are not quantized are computed in."""
        self.modules = rows.modules.names
        self.beside = frozenset(rows.modules.beside)
        self.fields: Keys = rows.fields
        self.flags = rows.flags
        self.architectures = {row.name: row for row in rows.architectures.rows}


@cache
def load_gguf_files() -> GgufFileCatalog:
    """The rows of ``gguf_files.yaml``."""
    return GgufFileCatalog(read_yaml("gguf_files.yaml", _Rows))
