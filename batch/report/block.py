"""Blocks of data in a page: a JSON head and typed arrays, compressed, in letters that mean nothing to HTML."""

import base64
import gzip
import json
from array import array
from collections.abc import Mapping

from pydantic import JsonValue

from .columns import little_endian

_ALIGNMENT = 8
"""Bytes that every part begins at a multiple of: typed arrays of a page need those of their largest number."""
_LEVEL = 6
"""Of compression: what a higher one saves is a few per cent, for several times as long."""
_NAMES = {"B": "u8", "H": "u16", "I": "u32", "d": "f64"}


def encode_block(head: Mapping[str, JsonValue], arrays: Mapping[str, "array[int] | array[float]"]) -> bytes:
    """The block of ``head`` and ``arrays`` in base64.

    Before compression it is the length of the head in 32 bits, the head, then the arrays; the head's key ``arrays``
    lists name, type, first byte from the end of the head, and length of each.
    """
    listed: list[JsonValue] = []
    parts: list[bytes] = []
    offset = 0
    for name, cells in arrays.items():
        part = _aligned(little_endian(cells))
        listed.append([name, _NAMES[cells.typecode], offset, len(cells)])
        parts.append(part)
        offset += len(part)
    text = json.dumps({**head, "arrays": listed}, ensure_ascii=False, separators=(",", ":")).encode()
    length = len(text).to_bytes(4, "little")
    whole = b"".join([_aligned(length + text), *parts])
    return base64.b64encode(gzip.compress(whole, _LEVEL, mtime=0))


def _aligned(part: bytes) -> bytes:
    return part + bytes(-len(part) % _ALIGNMENT)
