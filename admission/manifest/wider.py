"""Of several types of the kv cache, the one that takes most."""

from collections.abc import Collection

from sizing.catalog.formats import load_formats

_SIDES = 2
"""Keys and values."""


def wider(types: Collection[str], otherwise: str) -> str:
    """The widest of ``types``; where only one of keys and values has one, the other is kept ``otherwise``.

    >>> wider(["q4_0"], "fp16"), wider(["q4_0", "q8_0"], "fp16")
    ('fp16', 'q8_0')
    """
    kept = [*types, *([otherwise] if len(types) < _SIDES else [])]
    return max(kept, key=lambda name: load_formats().kv_dtype(name).bits)
