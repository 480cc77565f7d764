"""The command lines of engines, as far as they move memory."""

from dataclasses import dataclass, field
from typing import Literal

from .rows import CLOSED

ArgumentName = Literal[
    "max_model_len",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "kv_cache_dtype",
    "gpu_memory_utilization",
    "max_num_seqs",
    "max_num_batched_tokens",
    "enable_expert_parallel",
    "expert_parallel_size",
]
"""What of a deployment the engine is told on its command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentRow:
    """How an engine is told one thing."""

    __pydantic_config__ = CLOSED

    name: ArgumentName
    flags: tuple[str, ...]
    """Each is followed by the value."""
    values: dict[str, str] = field(default_factory=dict)
    """What the engine calls values that it spells in its own way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The engine's command line, as far as it moves memory."""

    __pydantic_config__ = CLOSED

    rows: tuple[ArgumentRow, ...]
    source: str
