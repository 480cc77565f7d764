"""Of the alternatives that were weighed, the one that asks the least of who deploys."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import JsonValue

from schemas.decision import SmallestChange
from schemas.recommendation import Alternative
from schemas.vocabulary import VERDICTS

LEAST_FIRST = (
    # The engine's arguments alone: the answers stay what they are.
    "gpu_memory_utilization",
    "enable_expert_parallel",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    # Arguments again, but answers lose a little accuracy, or length.
    "kv_cache_dtype",
    "max_model_len",
    # More GPUs of the same type.
    "count",
    # Another checkpoint of the model.
    "weight_format",
    # Another kind of node.
    "gpu",
)
"""Fields of a request, by how much it asks to change them; others ask most."""


def smallest_change(alternatives: Sequence[Alternative]) -> SmallestChange | None:
    """The alternative whose hardest change is easiest; None where there is no alternative.

    Among those alike, what fits goes before what is tight, then the fewest changes, then the order they came in.
    """
    if not alternatives:
        return None
    best = min(alternatives, key=_burden)
    return SmallestChange(
        changes=best.changes, arguments=best.arguments, why=best.why, verdict=best.verdict, per_gpu=best.per_gpu
    )


def _burden(alternative: Alternative) -> tuple[int, int, int]:
    asked = [_place(name) for name in _leaves(alternative.changes)]
    return max(asked, default=0), VERDICTS.index(alternative.verdict), len(asked)


def _place(name: str) -> int:
    return LEAST_FIRST.index(name) if name in LEAST_FIRST else len(LEAST_FIRST)


def _leaves(changes: Mapping[str, JsonValue]) -> Iterator[str]:
    for name, said in changes.items():
        if isinstance(said, dict):
            yield from _leaves(said)
        else:
            yield name
