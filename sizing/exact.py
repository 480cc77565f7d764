"""Fractions as they were written, not as binary digits come near them."""

from decimal import Decimal
from functools import lru_cache

_REMEMBERED = 4096


@lru_cache(maxsize=_REMEMBERED)
def as_written(fraction: float) -> Decimal:
    """The decimal number that ``fraction`` is the nearest float of.

    >>> as_written(0.9) * 10**12
    Decimal('900000000000.0')
    """
    return Decimal(str(fraction))
