"""Tensor-parallel ranks that divide sequences, not heads, between groups of them in attention."""

from schemas.errors import InvalidRequestError
from schemas.vocabulary import EngineName

from .catalog.engines import find_engine
from .deployment import Sizes


def refuse_impossible_groups(engine: EngineName, sizes: Sizes) -> None:
    """Refuse groups that the engine does not make, or that do not divide the ranks.

    Raises: InvalidRequestError.
    """
    if not sizes.enable_dp_attention:
        return
    if not find_engine(engine).dp_attention.value:
        raise InvalidRequestError(
            f"parallelism.enable_dp_attention: {engine} has no such switch",
            field="parallelism.enable_dp_attention",
            hint="leave it out; where an engine has data parallelism, data_parallel_size alone replicates attention",
        )
    ranks, groups = sizes.tensor_parallel_size, sizes.data_parallel_size
    if ranks % groups:
        works = ", ".join(str(size) for size in range(1, ranks + 1) if ranks % size == 0)
        raise InvalidRequestError(
            f"parallelism.data_parallel_size: {ranks} tensor-parallel ranks cannot make {groups} groups alike",
            field="parallelism.data_parallel_size",
            hint=f"sizes that divide them: {works}",
        )
