"""The header of a safetensors file: eight bytes that say how long it is, and JSON.

Source: safetensors, README, Format.  The tensors behind the header are never read.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizing.catalog.safetensors import Element, load_safetensors

from .files import Files, HeaderError, unreadable

PREFIX_BYTES = 8
LARGEST_HEADER_BYTES = 25_000_000
"""Source: huggingface_hub, SAFETENSORS_MAX_HEADER_LENGTH."""
FIRST_READ_BYTES = 2**17
"""Most headers of shards are shorter, and are read at once."""
LONGEST_NAME = 512
MOST_DIMENSIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderTensor:
    """A tensor as its header describes it."""

    name: str
    element: Element
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Elements of it."""
        return math.prod(self.shape)


def read_header(files: Files, name: str) -> list[HeaderTensor]:
    """The tensors of file ``name``.

    Raises: ModelUnreadableError, UnavailableError.
    """
    size = files.sizes[name]
    try:
        first = files.read(name, 0, min(files.chunk_bytes, FIRST_READ_BYTES, size))
        end = PREFIX_BYTES + header_bytes(first, size)
        if end > len(first):
            first += files.read(name, len(first), end - len(first))
        return parse_header(first[PREFIX_BYTES:end], size - end)
    except HeaderError as error:
        raise unreadable(files, name, f"its header is damaged: {error}", "download the file again") from error


def header_bytes(first: bytes, size: int) -> int:
    """How long the header of a file is that begins with ``first`` and has ``size`` bytes.

    Raises: HeaderError.
    """
    length = int.from_bytes(first[:PREFIX_BYTES], "little")
    if len(first) < PREFIX_BYTES or length > size - PREFIX_BYTES:
        raise HeaderError("the file ends within it")
    if length > LARGEST_HEADER_BYTES:
        raise HeaderError(f"{length} bytes, more than {LARGEST_HEADER_BYTES}")
    return length


def parse_header(text: bytes, data_bytes: int) -> list[HeaderTensor]:
    """The tensors that the JSON ``text`` describes, which lie in ``data_bytes`` bytes without gap or overlap.

    Raises: HeaderError.
    """
    try:
        header = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise HeaderError("it is not JSON in UTF-8") from error
    if not isinstance(header, dict):
        raise HeaderError("it is not a JSON object")
    header.pop("__metadata__", None)
    spans = []
    tensors = []
    for name, said in header.items():
        tensor, begin, end = _tensor(name, said)
        tensors.append(tensor)
        spans.append((begin, end))
    reached = 0
    for begin, end in sorted(spans):
        if begin != reached:
            raise HeaderError(f"tensors overlap or leave a gap at byte {min(begin, reached)}")
        reached = end
    if reached != data_bytes:
        raise HeaderError(f"its tensors take {reached} bytes, and {data_bytes} follow it")
    return tensors


def _tensor(name: str, said: object) -> tuple[HeaderTensor, int, int]:
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise HeaderError(f"the name of a tensor is longer than {LONGEST_NAME} characters, or cannot be printed")
    if not isinstance(said, Mapping):
        raise HeaderError(f"{name!r} is not an object")
    dtype = said.get("dtype")
    element = load_safetensors().elements.get(dtype) if isinstance(dtype, str) else None
    if element is None:
        raise HeaderError(f"{name!r} has an element type that is not known")
    shape, offsets = _naturals(said.get("shape")), _naturals(said.get("data_offsets"))
    if shape is None or len(shape) > MOST_DIMENSIONS or offsets is None or len(offsets) != 2:  # noqa: PLR2004 - two ends
        raise HeaderError(f"{name!r} has no shape, or no two offsets")
    tensor = HeaderTensor(name=name, element=element, shape=shape)
    begin, end = offsets
    if (end - begin) * 8 != tensor.count * element.bits:
        raise HeaderError(f"{name!r} has offsets for {end - begin} bytes, which its shape does not take")
    return tensor, begin, end


def _naturals(value: Any) -> tuple[int, ...] | None:  # noqa: ANN401 - decoded JSON
    """A list of whole numbers of at most 64 bits; None for anything else."""
    if not isinstance(value, list):
        return None
    for item in value:
        if type(item) is not int or not 0 <= item < 2**63:
            return None
    return tuple(value)
