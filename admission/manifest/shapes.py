"""Values of an object that nobody has validated, as the types they should have."""

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import UnreadableError


def mapping(value: object, place: str) -> Mapping[str, Any]:
    """``value`` as an object; nothing is an empty one.

    Raises: UnreadableError.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _not_a("an object", place)
    return value


def listing(value: object, place: str) -> Sequence[Any]:
    """``value`` as a list; nothing is an empty one.

    Raises: UnreadableError.
    """
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise _not_a("a list", place)
    return value


def text(value: object, place: str) -> str | None:
    """``value`` as a string; None where there is none, or an empty one.

    Raises: UnreadableError.
    """
    if value is not None and not isinstance(value, str):
        raise _not_a("a string", place)
    return value or None


def spelt(value: object, place: str) -> str | None:
    """``value``, a string or a number, as a string: quantities and numbers may be written as either.

    Raises: UnreadableError.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return text(value, place)


def words(value: object, place: str) -> list[str]:
    """``value`` as a list of strings; nothing is an empty one.

    Raises: UnreadableError.
    """
    found = listing(value, place)
    if not all(isinstance(word, str) for word in found):
        raise _not_a("a list of strings", place)
    return list(found)


def count(value: object, place: str, *, otherwise: int = 1) -> int:
    """``value`` as a number of pods; ``otherwise`` where there is none.

    Raises: UnreadableError.
    """
    if value is None:
        return otherwise
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MOST_PODS:
        raise _not_a("a number of pods", place)
    return value


_MOST_PODS = 2**31
"""Kubernetes counts replicas in 32 bit."""


def _not_a(shape: str, place: str) -> UnreadableError:
    return UnreadableError(f"{place} is not {shape}", reason="InvalidObject", field=place)
