"""How long to wait after failures on end."""

from collections.abc import Sequence
from typing import TypeVar

Seconds = TypeVar("Seconds", int, float)


def pause(seconds: Sequence[Seconds], failures: int) -> Seconds:
    """The pause after ``failures`` before this one, of ``seconds`` in turn; the last one from then on."""
    return seconds[min(failures, len(seconds) - 1)]
