"""How much memory a range of releases takes beside weights and kv cache."""

from dataclasses import dataclass
from typing import Literal

from schemas.vocabulary import WeightFormat

from .activation import Activation, ComputeBuffer
from .releases import VersionRange
from .rows import CLOSED
from .sourced import FractionRow, IntegerRow
from .spread import RanksSpread, Spread

AllocatorName = Literal["apart", "cells", "grouped", "two-pools", "whole"]
"""How an engine hands out its kv cache; each is a function of ``sizing/kv_cache/``."""

Inside = Literal["activation", "non-torch", "context", "cuda-graphs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the engine assumes on a GPU of at least ``min_memory_bytes``."""

    __pydantic_config__ = CLOSED

    min_memory_bytes: int
    not_named: str | None = None
    max_num_seqs: int
    max_num_batched_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What an engine subtracts from the GPU's memory to find its fraction of it, where none is asked for."""

    __pydantic_config__ = CLOSED

    constant_bytes: int
    bytes_per_batched_token: int
    least_batched_tokens: int
    bytes_per_sequence: int
    bytes_per_rank: int
    large_gpu_bytes: int
    """Memory above which at least ``least_on_large_gpu_bytes`` are reserved."""
    least_on_large_gpu_bytes: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaGraphs:
    """constant + bytes x max_num_seqs, up to the largest batch captured + bytes x layers x hidden_size."""

    __pydantic_config__ = CLOSED

    constant_bytes: int = 0
    bytes_per_sequence: int = 0
    most_sequences: int = 512
    """Largest batch that graphs are captured for."""
    bytes_per_layer_and_hidden_element: int = 0
    mixture_of_experts_bytes: Spread
    low_spread_bytes: int
    high_spread_bytes: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertsWorkspace:
    """What kernels for experts of one format take and no log tells, outside of every budget."""

    __pydantic_config__ = CLOSED

    weight_format: WeightFormat
    low: int
    expected: int
    high: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Which terms the engine's fraction of the memory has to hold beside weights and kv cache."""

    __pydantic_config__ = CLOSED

    counts: tuple[Inside, ...]
    """The others live in what the fraction leaves; an engine that finds too little there fails as it starts."""
    is_of_free_memory: bool = False
    """Whether the fraction is taken of what is free after all else is loaded, and the rest of that left alone."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profile:
    """The memory behaviour of a range of releases; each is equal to itself alone, since much is remembered by it."""

    __pydantic_config__ = CLOSED

    name: str
    versions: tuple[VersionRange, ...]
    is_measured: bool
    """Whether the rows rest on logs of these releases, rather than on documents or on another range's rows."""
    measured_on: str
    kv_cache_allocator: AllocatorName
    gpu_memory_utilization: FractionRow | Reserve
    defaults: tuple[Defaults, ...]
    defaults_source: str
    batches_a_whole_prompt: bool
    """Whether the default of max_num_batched_tokens is never less than max_model_len."""
    budget: Budget
    activation: Activation | ComputeBuffer
    non_torch: tuple[RanksSpread, ...]
    non_torch_source: str
    context: tuple[RanksSpread, ...]
    context_source: str
    cuda_graphs: CudaGraphs
    experts_workspace: tuple[ExpertsWorkspace, ...] = ()
    weights_high_per_mille: IntegerRow
