"""Numbers as people write them: counts, and quantities of Kubernetes with a suffix."""

import re
from decimal import Decimal

from .errors import UnreadableError

_SUFFIXES = {
    "m": Decimal("0.001"),
    "": Decimal(1),
    **{suffix: Decimal(1000) ** power for power, suffix in enumerate("kMGTPE", start=1)},
    **{f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", start=1)},
}
"""Source: Kubernetes API reference, Quantity."""

_QUANTITY = re.compile(r"\+?([0-9]{1,18}(?:\.[0-9]{0,18})?|\.[0-9]{1,18})(m|k|[MGTPE]i?|Ki)?")


def positive(given: str, digits: int = 9) -> int | None:
    """The number that ``given`` spells in decimal digits, as many as that at most; None where it is none, or zero."""
    spelt = given.isascii() and given.isdigit() and len(given) <= digits
    return int(given) or None if spelt else None


def whole_number(value: object, place: str) -> int:
    """The whole number that the quantity ``value`` comes to: devices and mebibytes are not divided.

    Raises: UnreadableError.
    """
    match = _QUANTITY.fullmatch(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None
    number = Decimal(match[1]) * _SUFFIXES[match[2] or ""] if match else None
    if number is None or number != number.to_integral_value():
        raise UnreadableError(f"{place}: {value!r:.60} is not a whole number", reason="InvalidObject", field=place)
    return int(number)
