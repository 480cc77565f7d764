"""Releases of engines, in their order, and ranges of them."""

from dataclasses import dataclass
from functools import lru_cache

from .rows import CLOSED

Version = tuple[int, ...]


def version_key(text: str) -> Version:
    """A release as numbers that compare in order.

    >>> version_key("0.9.2") < version_key("0.19")
    True
    """
    return tuple(int(part) for part in text.split("."))


@lru_cache(maxsize=1024)
def release_number(text: str) -> int:
    """A release as one number that compares in order: three digits each for minor and patch.

    >>> release_number("0.10.1"), release_number("1.2"), release_number("9000")
    (10001, 1002000, 9000000000)
    """
    major, minor, patch = (*version_key(text), 0, 0)[:3]
    return major * 1_000_000 + min(minor, 999) * 1000 + min(patch, 999)


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRange:
    """Releases from ``first`` up to, and without, ``before``."""

    __pydantic_config__ = CLOSED

    first: str
    before: str
    compute_capability_tens_below: int | None = None
    """Only on GPUs below this CUDA compute capability, or of other vendors."""

    def holds(self, version: str) -> bool:
        """Whether ``version`` lies in the range."""
        return version_key(self.first) <= version_key(version) < version_key(self.before)

    def applies(self, compute_capability_tens: int) -> bool:
        """Whether the range is about such GPUs."""
        below = self.compute_capability_tens_below
        return below is None or compute_capability_tens < below
