"""Dividing sizes between ranks, and refusing what does not divide."""

from functools import lru_cache
from itertools import pairwise

from schemas.errors import InvalidRequestError

TENSOR_PARALLEL_SIZE = "parallelism.tensor_parallel_size"


class IndivisibleError(InvalidRequestError):
    """A size cannot be divided by the number of ranks."""

    def __init__(self, what: str, size: int, ranks: int) -> None:
        super().__init__(
            f"{TENSOR_PARALLEL_SIZE}: {size} {what} cannot be divided between {ranks} ranks",
            field=TENSOR_PARALLEL_SIZE,
        )
        self.ranks = ranks


def heads_per_rank(heads: int, ranks: int, *, replicates: bool) -> int:
    """Heads one rank holds; with ``replicates``, ranks beyond the heads hold copies.

    Raises: IndivisibleError.  Source: vLLM, QKVParallelLinear.

    >>> heads_per_rank(8, 4, replicates=True), heads_per_rank(4, 8, replicates=True)
    (2, 1)
    """
    if heads % ranks == 0:
        return heads // ranks
    if replicates and ranks % heads == 0:
        return 1
    raise IndivisibleError("key-value heads" if replicates else "attention heads", heads, ranks)


def share(size: int, ranks: int, what: str) -> int:
    """One rank's part of ``size``.

    Raises: IndivisibleError.
    """
    if size % ranks:
        raise IndivisibleError(what, size, ranks)
    return size // ranks


def padded(size: int, multiple: int) -> int:
    """``size`` rounded up to a ``multiple``.

    >>> padded(32016, 64)
    32064
    """
    return -(-size // multiple) * multiple


@lru_cache(maxsize=1024)
def stages(num_hidden_layers: int, pipeline_parallel_size: int) -> tuple[range, ...]:
    """Layers of each pipeline stage; layers left over go to the stages before the last, last first.

    Raises: InvalidRequestError when there are more stages than layers.  Source: vLLM, get_pp_indices.

    >>> [len(stage) for stage in stages(61, 4)]
    [15, 15, 16, 15]
    """
    if pipeline_parallel_size > num_hidden_layers:
        raise InvalidRequestError(
            f"parallelism.pipeline_parallel_size: {num_hidden_layers} layers cannot fill "
            f"{pipeline_parallel_size} stages",
            field="parallelism.pipeline_parallel_size",
            hint=f"use at most {num_hidden_layers}",
        )
    each, left_over = divmod(num_hidden_layers, pipeline_parallel_size)
    sizes = [each] * pipeline_parallel_size
    for place in range(2, left_over + 2):
        sizes[-place] += 1
    bounds = [sum(sizes[:stage]) for stage in range(pipeline_parallel_size + 1)]
    return tuple(range(start, end) for start, end in pairwise(bounds))
