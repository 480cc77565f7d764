"""What an allocator is asked: the layers of one stage, and of the whole model."""

from collections import Counter
from dataclasses import dataclass

from ..attention import Cache
from .stage import Element


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLayers:
    """The caches of one stage, and how the engine was told to keep them."""

    caches: Counter[Cache]
    """How many layers of the stage have each cache, in order of appearance."""
    whole_model: Counter[Cache]
    """The same of the whole model."""
    element: Element
    ranks: int
    block_size: int
    max_num_batched_tokens: int
