"""Bounds on what reaches the rule engine, each inside what it was measured to handle.

Beyond them the engine crashes, hangs or answers wrongly without saying so; docs/decisions/0002 tells how.
"""

from schemas.recommendation import FactValue

MAX_STRING = 512
"""Characters of a string; lengths are kept in 16 bit, so that very long ones can equal short ones."""

MAX_INTEGER = 2**62
"""Magnitude of an integer; from 2**63 on they saturate."""


def beyond_limits(value: FactValue) -> str | None:
    """Why the engine must not be given ``value``, or None when it may."""
    if isinstance(value, str):
        unprintable = None if value.isprintable() else f"{value!r} holds characters that cannot be printed"
        return unfit_string(value) or unprintable
    if abs(value) > MAX_INTEGER:
        return f"{value} is beyond {MAX_INTEGER}"
    return None


def unfit_string(value: str) -> str | None:
    """Why the engine must not be told of ``value`` in a fact, or None when it may."""
    if len(value) > MAX_STRING:
        return f"a string of {len(value)} characters is longer than {MAX_STRING}"
    if not (value.isascii() or value.encode(errors="ignore").decode() == value):
        return f"{value!r} holds half of a surrogate pair"
    return None
