"""What decoded JSON may hold at most, looked at before anything else is made of it."""

from math import isfinite

from .errors import InvalidRequestError

MAX_DEPTH = 32
"""Objects and lists within each other.  Published configs have 6, and what validates recurses once for each."""

MAX_VALUES = 2**18
"""Values of a whole request, keys not counted.  A config that names every expert of every layer has some 50,000."""

MAX_CHARACTERS = 2**14
"""Characters of a string.  The longest of a published config, a regular expression, has some 500."""

MAX_KEY_CHARACTERS = 2**10
"""Characters of a key.  Keys are module paths at their longest, and a path through them stands in an error."""

MAX_INTEGER = 10**38
"""Magnitude of an integer: what counts something has a bound of its own far below.  From some thousand digits on,
Python cannot even write a number into an error."""

_Link = tuple["_Link", str | int] | None
"""The path of a value, last part first."""


def refuse_beyond_bounds(value: object, *, depth: int = MAX_DEPTH, characters: int = MAX_CHARACTERS) -> None:
    """Look at all of ``value``, decoded JSON, in time that grows with its size alone.

    ``depth`` and ``characters`` are the bounds of what is no request, but holds what one is read from.

    Raises: InvalidRequestError naming a field that is too long, too deep or too large.
    """
    waiting: list[tuple[object, int, _Link]] = [(value, 1, None)]
    values = 0
    while waiting:
        holder, nested, place = waiting.pop()
        items = _items(holder, place)
        values += len(items)
        if values > MAX_VALUES:
            raise _refusal(place, f"brings the request to more than {MAX_VALUES} values")
        if nested > depth:
            raise _refusal(place, f"is nested more than {depth} deep")
        for key, each in items:
            if isinstance(each, dict | list):
                waiting.append((each, nested + 1, (place, key)))
            elif why := _beyond(each, characters):
                raise _refusal((place, key), why)


def _beyond(value: object, characters: int) -> str | None:
    """Why ``value``, neither an object nor a list, is too much; None where it is not."""
    if isinstance(value, str):
        return None if len(value) <= characters else f"has {len(value)} characters, more than {characters}"
    if isinstance(value, float):
        return None if isfinite(value) else "is not a finite number"
    if isinstance(value, int):
        return None if -MAX_INTEGER <= value <= MAX_INTEGER else f"is beyond {MAX_INTEGER:.0e}"
    return None


def _items(holder: object, place: _Link) -> list[tuple[str | int, object]]:
    """What an object or a list holds, by key or index; nothing for other values."""
    if isinstance(holder, list):
        return list(enumerate(holder))
    if not isinstance(holder, dict):
        return []
    for key in holder:
        _refuse_key(key, place)
    return list(holder.items())


def _refuse_key(key: object, place: _Link) -> None:
    if not isinstance(key, str):
        raise _refusal(place, "has a key that is no string")
    if len(key) > MAX_KEY_CHARACTERS:
        raise _refusal(place, f"has a key of {len(key)} characters, more than {MAX_KEY_CHARACTERS}")


def _refusal(place: _Link, why: str) -> InvalidRequestError:
    parts: list[str] = []
    while place is not None:
        place, part = place
        parts.append(str(part))
    field = ".".join(reversed(parts)) or None
    return InvalidRequestError(f"{field or 'request'}: {why}", field=field, hint="correct it, or leave the field out")
