"""The header of a GGUF file: metadata, and the types and shapes of its tensors.

Source: ggml, docs/gguf.md, versions 2 and 3.  docs/decisions/0004 says why this is not the ``gguf`` package.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from sizing.catalog.gguf import Block, load_gguf
from sizing.catalog.gguf_files import load_gguf_files

from .cursor import Cursor
from .files import Files, HeaderError, unreadable

Value = str | int | float | bool | tuple[int | float | bool, ...]

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MOST_ENTRIES = 2**16
MOST_TENSORS = 2**17
LONGEST_NAME = 512
LONGEST_TEXT = 2**12
"""Longer strings, such as templates of chats, are gone over."""
LONGEST_ARRAY = 2**21
LONGEST_KEPT_ARRAY = 2**12
"""Longer arrays, such as scores of tokens, are gone over."""
MOST_DIMENSIONS = 4
"""Source: ggml, GGML_MAX_DIMS."""

_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""struct's letter for each type of value that has a size of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufTensor:
    """A tensor as the header describes it."""

    name: str
    block: Block
    shape: tuple[int, ...]
    """(out_features, in_features) for a matrix: the file has it the other way round."""

    @property
    def count(self) -> int:
        """Elements of it."""
        return math.prod(self.shape)

    @property
    def size(self) -> int:
        """Bytes of it."""
        return self.count // self.block.elements * self.block.bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What one file says before its tensors."""

    metadata: Mapping[str, Value]
    tensors: tuple[GgufTensor, ...]


def read_gguf_header(files: Files, name: str) -> GgufHeader:
    """The header of file ``name``.

    Raises: ModelUnreadableError, UnavailableError.
    """
    size = files.sizes[name]
    try:
        return _header(Cursor(partial(files.read, name), size, files.chunk_bytes), size)
    except (HeaderError, UnicodeDecodeError) as error:
        why = error if isinstance(error, HeaderError) else "a name in it is not UTF-8"
        raise unreadable(files, name, f"its header is damaged: {why}", "download the file again") from error


def _header(cursor: Cursor, size: int) -> GgufHeader:
    if cursor.take(4) != MAGIC:
        raise HeaderError("it does not begin with GGUF")
    version = _number(cursor, "I")
    if version not in VERSIONS:
        raise HeaderError(f"version {version} is not one of {', '.join(map(str, VERSIONS))}")
    tensor_count, entry_count = _number(cursor, "Q"), _number(cursor, "Q")
    if tensor_count > MOST_TENSORS or entry_count > MOST_ENTRIES:
        raise HeaderError(f"{tensor_count} tensors and {entry_count} entries are more than any model has")
    metadata: dict[str, Value] = {}
    for _ in range(entry_count):
        key = _text(cursor, LONGEST_NAME)
        value = _value(cursor, _number(cursor, "I"))
        if key in metadata:
            raise HeaderError(f"{key!r} is there twice")
        if value is not None:
            metadata[key] = value
    return GgufHeader(metadata=metadata, tensors=_tensors(cursor, tensor_count, _alignment(metadata), size))


def _alignment(metadata: Mapping[str, Value]) -> int:
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or alignment < 1 or alignment & (alignment - 1):
        raise HeaderError("general.alignment is not a power of two")
    return alignment


def _tensors(cursor: Cursor, count: int, alignment: int, size: int) -> tuple[GgufTensor, ...]:
    """The tensors, which lie one behind the other in the file of ``size`` bytes."""
    found: dict[str, GgufTensor] = {}
    reached = 0
    for _ in range(count):
        tensor, offset = _tensor(cursor)
        if tensor.name in found:
            raise HeaderError(f"{tensor.name!r} is there twice")
        if offset != reached:
            raise HeaderError(f"{tensor.name!r} is not where the tensor before it ends")
        found[tensor.name] = tensor
        reached += _aligned(tensor.size, alignment)
    last = _aligned(cursor.place, alignment) + reached
    # What fills the last tensor up to the alignment may be left out.
    if found and last - size >= alignment:
        raise HeaderError(f"its tensors end at byte {last}, and the file at {size}")
    return tuple(found.values())


def _tensor(cursor: Cursor) -> tuple[GgufTensor, int]:
    """A tensor, and where it lies behind the header."""
    name = _text(cursor, LONGEST_NAME)
    dimensions = _number(cursor, "I")
    if not 1 <= dimensions <= MOST_DIMENSIONS:
        raise HeaderError(f"{name!r} has {dimensions} dimensions")
    shape = struct.unpack(f"<{dimensions}Q", cursor.take(8 * dimensions))
    type_name = load_gguf_files().types.get(_number(cursor, "I"))
    offset = _number(cursor, "Q")
    if type_name is None:
        raise HeaderError(f"{name!r} is of a type that is not known")
    block = load_gguf().blocks[type_name]
    if not all(shape) or shape[0] % block.elements:
        raise HeaderError(f"{name!r} of shape {shape} cannot be of type {type_name}")
    return GgufTensor(name=name, block=block, shape=shape[::-1]), offset


def _value(cursor: Cursor, kind: int) -> Value | None:
    """A value of that kind; None for one that is longer than any that is of use here."""
    if kind == _STRING:
        length = _number(cursor, "Q")
        if length <= LONGEST_TEXT:
            return cursor.take(length).decode(errors="replace")
        cursor.skip(length)
        return None
    if kind == _ARRAY:
        return _array(cursor)
    if kind not in _SCALARS:
        raise HeaderError(f"a value is of kind {kind}, which is not known")
    (value,) = _unpacked(cursor, _SCALARS[kind], 1)
    return value


def _array(cursor: Cursor) -> Value | None:
    kind, length = _number(cursor, "I"), _number(cursor, "Q")
    if length > LONGEST_ARRAY:
        raise HeaderError(f"an array of {length} values is longer than any vocabulary")
    if kind == _STRING:
        cursor.skip_strings(length)
        return None
    if kind not in _SCALARS:
        raise HeaderError(f"an array is of kind {kind}, which is not known")
    if length <= LONGEST_KEPT_ARRAY:
        return _unpacked(cursor, _SCALARS[kind], length)
    cursor.skip(length * struct.calcsize(f"<{_SCALARS[kind]}"))
    return None


def _text(cursor: Cursor, longest: int) -> str:
    length = _number(cursor, "Q")
    if length > longest:
        raise HeaderError(f"a name of {length} bytes is longer than {longest}")
    text = cursor.take(length).decode()
    if not text.isprintable():
        raise HeaderError("a name cannot be printed")
    return text


def _number(cursor: Cursor, letter: str) -> int:
    return int(_unpacked(cursor, letter, 1)[0])


def _unpacked(cursor: Cursor, letter: str, count: int) -> tuple[int | float | bool, ...]:
    layout = struct.Struct(f"<{count}{letter}")
    return layout.unpack(cursor.take(layout.size))


def _aligned(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment
