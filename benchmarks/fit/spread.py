"""The ends and the middle of several sizes."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from sizing.catalog.gpus import GIB

from .samples import hundredths


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Lowest, middle and highest, in bytes to a hundredth of a GiB."""

    low: int
    expected: int
    high: int
    count: int

    def __str__(self) -> str:
        sizes = (self.low, self.expected, self.high)
        gib = ", ".join(f"{size / GIB:.2f}" for size in sizes)
        return f"{{low: {self.low}, expected: {self.expected}, high: {self.high}}}  # {gib} GiB, {self.count} logs"


def spread(sizes: Sequence[int]) -> Spread | None:
    """The spread of ``sizes``; None of nothing."""
    if not sizes:
        return None
    return Spread(
        low=hundredths(min(sizes)),
        expected=hundredths(statistics.median(sizes)),
        high=hundredths(max(sizes)),
        count=len(sizes),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """The absolute error on the models that were left out, in bytes."""

    count: int
    median_bytes: int
    worst_bytes: int

    def __str__(self) -> str:
        gib = (self.median_bytes / GIB, self.worst_bytes / GIB)
        return f"left out: {self.count} logs, error {gib[0]:.2f} GiB median, {gib[1]:.2f} GiB worst"


def left_out(residuals: Sequence[int]) -> LeftOut:
    """The error that ``residuals`` are."""
    errors = [abs(residual) for residual in residuals]
    return LeftOut(
        count=len(errors),
        median_bytes=round(statistics.median(errors)) if errors else 0,
        worst_bytes=max(errors, default=0),
    )
