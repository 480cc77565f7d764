"""What error correction takes from the memory of a GPU; rows of ``error_correction.yaml``."""

from dataclasses import dataclass
from functools import cache

from .gpus import MIB, Gpu, visible_bytes
from .rows import CLOSED, read_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class _Card:
    __pydantic_config__ = CLOSED

    gpu: str
    is_on: bool
    on_mib: int
    off_mib: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cards:
    __pydantic_config__ = CLOSED

    cards: tuple[_Card, ...]


@cache
def _cards() -> dict[str, _Card]:
    return {card.gpu: card for card in read_yaml("error_correction.yaml", _Cards).cards}


def bytes_switched(gpu: Gpu) -> int | None:
    """Bytes a process sees of ``gpu`` with error correction the other way; None where that is not known."""
    card = _cards().get(gpu.name)
    return None if card is None else visible_bytes((card.off_mib if card.is_on else card.on_mib) * MIB)
