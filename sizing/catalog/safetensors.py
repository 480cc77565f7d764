"""How tensors are named and typed in safetensors files; rows of ``safetensors.yaml``."""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from .rows import CLOSED, read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """An element type."""

    __pydantic_config__ = CLOSED

    dtype: str
    bits: int
    kind: Literal["float", "small", "packed", "other"]
    """A weight, a quantized weight, a word of one or several quantized weights, or no weight."""
    config_dtype: str | None = None
    """What a config calls it; None where none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What a tensor's name may end in."""

    __pydantic_config__ = CLOSED

    ending: str
    becomes: str = ""
    """What takes its place in the name of the module."""
    is_beside: bool = False
    """Whether the tensor accompanies a matrix."""
    is_order: bool = False
    """Whether it is the order in which columns were quantized."""
    served_bits: int | None = None
    """Bits of an element in an engine's memory; None where they are those of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Elements:
    __pydantic_config__ = CLOSED

    source: str
    rows: tuple[Element, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endings:
    __pydantic_config__ = CLOSED

    source: str
    rows: tuple[Ending, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _NotLoaded:
    __pydantic_config__ = CLOSED

    source: str
    endings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    __pydantic_config__ = CLOSED

    elements: _Elements
    endings: _Endings
    not_loaded: _NotLoaded
    layers: tuple[str, ...]


MOST_PARTS = 3
"""Parts between points that an ending has at most."""
WHOLE = Ending(ending="")
"""Of a name that is its module's."""


class SafetensorsCatalog:
    """Element types by name, and endings, the longest first."""

    def __init__(self, rows: _Rows) -> None:
        self.elements = {row.dtype: row for row in rows.elements.rows}
        self.not_loaded = rows.not_loaded.endings
        self.layers = frozenset(rows.layers)
        self._endings = sorted(rows.endings.rows, key=lambda row: -len(row.ending))
        # Hundreds of thousands of names have few last parts between them.
        self._ending_of_parts = lru_cache(maxsize=2**12)(self._longest)

    def ending(self, name: str) -> Ending:
        """The ending of the tensor called ``name``."""
        return self._ending_of_parts(".".join(name.rsplit(".", MOST_PARTS)[-MOST_PARTS:]))

    def _longest(self, parts: str) -> Ending:
        """The longest ending of a name's last ``parts``."""
        return next((row for row in self._endings if f".{parts}".endswith(row.ending)), WHOLE)


@cache
def load_safetensors() -> SafetensorsCatalog:
    """The rows of ``safetensors.yaml``."""
    return SafetensorsCatalog(read_yaml("safetensors.yaml", _Rows))
