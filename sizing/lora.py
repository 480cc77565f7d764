"""Room for LoRA adapters: a pair of matrices of the highest rank beside each matrix that an adapter may change."""

from collections.abc import Iterable

from schemas.errors import InvalidRequestError
from schemas.request import Engine

from .catalog.engines import EngineCatalogRow
from .catalog.releases import version_key
from .deployment import LoraSlots
from .model import Model, Tensor
from .parallelism import stages
from .weights import Placement


def lora_slots(asked: Engine, row: EngineCatalogRow, version: str) -> LoraSlots | None:
    """The slots that ``asked`` makes room for; None where no adapters are served.

    Raises: InvalidRequestError where the engine's adapters are not weighed.
    """
    if asked.max_loras is None:
        if asked.max_lora_rank is not None:
            raise InvalidRequestError(
                "engine.max_lora_rank: no adapters are served",
                field="engine.max_lora_rank",
                hint="say how many with engine.max_loras, or leave it out",
            )
        return None
    if row.lora is None:
        raise InvalidRequestError(
            f"engine.max_loras: what adapters take on {asked.name} is not known",
            field="engine.max_loras",
            hint="leave it out, and add the size of the adapters' files yourself",
        )
    since = row.lora.experts_from
    return LoraSlots(
        max_loras=asked.max_loras,
        max_lora_rank=asked.max_lora_rank or row.lora.default_max_lora_rank,
        bits=row.lora.bits,
        covers_experts=since is not None and version_key(version) >= version_key(since),
    )


def lora_bytes(model: Model, slots: LoraSlots, placement: Placement) -> list[int]:
    """Bytes of the slots on one rank of each pipeline stage.

    A changes (columns) to (rank), B (rank) to (rows): each is as wide as the rank's part of the matrix.
    Embedding and output are adapted whole, on every rank.  Source: the engine's ``lora`` row.
    """
    spans = stages(model.num_hidden_layers, placement.sizes.pipeline_parallel_size)
    whole = model.vocab_size + model.hidden_size
    found = []
    for place, span in enumerate(spans):
        sides = sum(_sides(model.layers[index].tensors, slots, placement) for index in span)
        sides += whole * ((place == 0) + (place == len(spans) - 1))
        found.append(-(-sides * slots.max_lora_rank * slots.max_loras * slots.bits // 8))
    return found


def _sides(tensors: Iterable[Tensor], slots: LoraSlots, placement: Placement) -> int:
    """Rows and columns of one rank's part of each matrix that has adapters."""
    total = 0
    for tensor in tensors:
        if tensor.is_quantizable and (tensor.part != "experts" or slots.covers_experts):
            rows, columns, count = placement.held(tensor)
            total += (rows + columns) * count
    return total
