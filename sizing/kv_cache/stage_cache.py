"""From a model's layers to the cache of one stage, by the engine's allocator."""

from collections import Counter
from collections.abc import Callable, Sequence

from ..attention import Cache
from ..catalog.formats import KvDtype
from ..catalog.profile import AllocatorName
from ..model import Layer, Model
from ..remembered import of_each_model
from .apart import apart, cells, two_pools
from .grouped import grouped, whole
from .layers import StageLayers
from .stage import Element, Share, StageCache

ALLOCATORS: dict[AllocatorName, Callable[[StageLayers], tuple[Share, ...]]] = {
    "apart": apart,
    "cells": cells,
    "grouped": grouped,
    "two-pools": two_pools,
    "whole": whole,
}


@of_each_model
def stage_cache(  # noqa: PLR0917 - positional, as results are remembered by them
    model: Model,
    span: range,
    dtype: KvDtype,
    ranks: int,
    block_size: int,
    max_num_batched_tokens: int,
    allocator: AllocatorName,
) -> StageCache:
    """The cache of the layers of ``span``.

    Raises: InvalidRequestError when the heads cannot be divided.
    """
    asked = StageLayers(
        caches=_caches(model.layers[span.start : span.stop]),
        whole_model=_caches(model.layers),
        element=Element(bits=dtype.group_bits, block=dtype.group),
        ranks=ranks,
        block_size=block_size,
        max_num_batched_tokens=max_num_batched_tokens,
    )
    return StageCache(shares=ALLOCATORS[allocator](asked) if asked.caches else (), step=block_size)


def _caches(layers: Sequence[Layer]) -> Counter[Cache]:
    found = Counter[Cache]()
    for layer, count in Counter(layers).items():
        for cache in layer.caches:
            found[cache] += count
    return found
