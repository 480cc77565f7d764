"""Of several types of the kv cache, the one that takes most."""

from collections.abc import Iterable

from sizing.catalog.formats import load_formats

_ONE_EACH = 2
"""Keys and values."""
_PLAIN = "fp16"
"""What llama.cpp keeps where nothing is said.  Source: llama.cpp, tools/server/README.md, --cache-type-k and -v."""


def wider(types: Iterable[str]) -> str:
    """The widest of ``types``; where only one of keys and values is given, the other is kept in 16 bit."""
    given = list(types)
    if len(given) < _ONE_EACH:
        given.append(_PLAIN)
    return max(given, key=lambda name: load_formats().kv_dtype(name).bits)
