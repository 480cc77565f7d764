"""Names matched by patterns, in upper or lower case."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from schemas.catalog_file import AS_PUBLISHED

WILD = frozenset("*?")


def is_pattern(text: str) -> bool:
    """Whether ``text`` stands for more than itself."""
    return not WILD.isdisjoint(text)


def matches(patterns: Sequence[str] | None, name: str | None) -> bool:
    """Whether one of ``patterns`` matches ``name``; no patterns match all, and what has no name is as published."""
    if patterns is None:
        return True
    lowered = (AS_PUBLISHED if name is None else name).lower()
    # Brackets stand for themselves: names have none, and a set of characters is nobody's way to choose a model.
    return any(fnmatchcase(lowered, pattern.lower().replace("[", "[[]")) for pattern in patterns)
