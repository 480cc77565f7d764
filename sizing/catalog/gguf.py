"""GGUF quantizations: blocks of each ggml type, and the mixtures that files are named for; rows of ``gguf.yaml``."""

from dataclasses import dataclass
from functools import cache
from typing import Literal

from schemas.vocabulary import WeightFormat

from .rows import CLOSED, read_yaml

Kind = Literal["attn_q", "attn_k", "attn_v", "attn_qkv", "attn_output", "ffn_gate", "ffn_up", "ffn_down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """How a ggml type is stored: runs of a row, each with its scales."""

    __pydantic_config__ = CLOSED

    type: str
    elements: int
    bytes: int
    """Bytes of one block, its scales included."""
    fallback: str | None = None
    """Type taken where rows are not made of whole blocks."""

    def bits_of(self, rows: int, columns: int) -> int:
        """Bits of a matrix of (rows, columns)."""
        return rows * -(-columns // self.elements) * self.bytes * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSet:
    """Some of a model's layers."""

    __pydantic_config__ = CLOSED

    first: int = 0
    first_of: int | None = None
    last_of: int | None = None
    each: int | None = None
    is_inverted: bool = False

    def holds(self, index: int, count: int) -> bool:
        """Whether layer ``index`` of ``count`` is one of them, in the whole-number arithmetic of llama.cpp."""
        start = count // self.first_of if self.first_of else self.first
        end = (self.last_of - 1) * count // self.last_of if self.last_of else count
        inside = index < start or index >= end
        if self.each:
            inside = inside or (index - start) % self.each == self.each - 1
        return inside is not self.is_inverted


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """What of a model decides which tensor gets which type."""

    num_layers: int
    num_experts: int
    queries_per_key: int
    """Query heads that share a key-value head."""
    is_tied: bool
    """Whether the output matrix is the embedding's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRule:
    """The type of some kinds of tensors, in some layers of some models."""

    __pydantic_config__ = CLOSED

    kinds: tuple[Kind, ...]
    type: str
    layers: str | None = None
    num_experts: int | None = None
    least_num_experts: int = 0
    least_queries_per_key: int = 0
    num_layers: int | None = None

    def suits(self, shape: ModelShape) -> bool:
        """Whether the rule is for models of ``shape``."""
        return (
            self.num_experts in (None, shape.num_experts)
            and self.num_layers in (None, shape.num_layers)
            and shape.num_experts >= self.least_num_experts
            and shape.queries_per_key >= self.least_queries_per_key
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixture:
    """A quantization as files are named for it."""

    __pydantic_config__ = CLOSED

    name: WeightFormat
    bits: int
    """Bits of an element in the type that most tensors have, scales apart."""
    type: str
    output: str = "q6_k"
    """Type of the output matrix, or of an embedding that serves as it."""
    embedding: str | None = None
    """Type of another embedding; None is ``type``."""
    tensors: tuple[TensorRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Types:
    __pydantic_config__ = CLOSED

    source: str
    rows: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Untouched:
    __pydantic_config__ = CLOSED

    type: str
    modules: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mixtures:
    __pydantic_config__ = CLOSED

    source: str
    rows: tuple[Mixture, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    __pydantic_config__ = CLOSED

    types: _Types
    kinds: dict[Kind, tuple[str, ...]]
    untouched: _Untouched
    layers: dict[str, LayerSet]
    mixtures: _Mixtures


class GgufCatalog:
    """Block types by name, mixtures by the name of their format, and kinds by the name of a module."""

    def __init__(self, rows: _Rows) -> None:
        self.blocks = {row.type: row for row in rows.types.rows}
        self.mixtures = {row.name: row for row in rows.mixtures.rows}
        self.layers = rows.layers
        self.kinds: dict[str, Kind] = {name: kind for kind, names in rows.kinds.items() for name in names}
        self.untouched = dict.fromkeys(rows.untouched.modules, rows.untouched.type)
        self.source = rows.mixtures.source

    def block(self, name: str, columns: int) -> Block:
        """The type called ``name``, or what is taken in its place for rows of ``columns`` elements."""
        block = self.blocks[name]
        while columns % block.elements and block.fallback:
            block = self.blocks[block.fallback]
        return block


@cache
def load_gguf() -> GgufCatalog:
    """The rows of ``gguf.yaml``."""
    return GgufCatalog(read_yaml("gguf.yaml", _Rows))
