"""What follows a flag, as the value of a field."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from .engine_rows import EngineRows, FlagRow
from .environment import HIDDEN
from .errors import UnreadableError
from .quantity import positive

_TOKENS = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)([a-zA-Z]?)")
_COUNT = re.compile(r"[0-9]{1,9}")
_FRACTION = re.compile(r"[0-9]{0,9}\.?[0-9]{0,9}(?:[eE]-?[0-9]{1,2})?")
TRUTH: Mapping[str, bool] = {"true": True, "false": False, "1": True, "0": False, "on": True, "off": False}
"""Values of switches, in lower case."""


def value_of(rows: EngineRows, row: FlagRow, flag: str, given: str) -> Any:  # noqa: ANN401 - a field's, of its type
    """What ``given`` after ``flag`` sets; None where it leaves the choice to the engine.

    Raises: UnreadableError.
    """
    if HIDDEN in given:
        raise UnreadableError(
            f"{flag} is set by what is not at hand; write its value, or set it with an annotation",
            reason="ReferenceNotAtHand",
            field=flag,
        )
    if given in row.unset:
        return None
    value = _read(rows, row, given)
    if value is UNREAD:
        raise UnreadableError(f"{flag} cannot be {given!r:.60}", reason="ArgumentUnreadable", field=flag)
    return value


UNREAD = object()
"""Stands for a value that cannot be read."""


def _read(rows: EngineRows, row: FlagRow, given: str) -> Any:  # noqa: ANN401, PLR0911 - as above, and one way a kind
    match row.reads:
        case "tokens":
            return _tokens(given, rows.suffixes)
        case "count":
            return positive(given) or UNREAD
        case "fraction":
            return _fraction(given)
        case "switch":
            return TRUTH.get(given.lower(), UNREAD)
        case "tri_state":
            return None if given.lower() == "auto" else TRUTH.get(given.lower(), UNREAD)
        case "more_than_one":
            return (int(given) > 1 or None) if _COUNT.fullmatch(given) else UNREAD
        case "choice" | "wider":
            otherwise = UNREAD if row.others == "refused" else row.others
            return rows.values_of(row).get(given, otherwise)
        case "json":
            return _json(given)
        case "present":
            return True
    return given


def _tokens(given: str, suffixes: Mapping[str, int]) -> Any:  # noqa: ANN401 - a number, or unread
    match = _TOKENS.fullmatch(given)
    if match is None or (match[2] and match[2] not in suffixes):
        return UNREAD
    number = int(Decimal(match[1]) * suffixes.get(match[2], 1))
    return number or UNREAD


def _fraction(given: str) -> Any:  # noqa: ANN401 - a number, or unread
    try:
        number = float(given) if _FRACTION.fullmatch(given) else 0.0
    except ValueError:
        return UNREAD
    return number if 0 < number <= 1 else UNREAD


def _json(given: str) -> Any:  # noqa: ANN401 - decoded JSON
    try:
        value = json.loads(given)
    except (ValueError, RecursionError):
        return UNREAD
    return value if isinstance(value, dict) else UNREAD
