"""Going through a file from its beginning, a chunk at a time, as far as is asked and no further."""

import struct
from collections.abc import Callable

from .files import HeaderError

LARGEST_HEADER_BYTES = 2**27
"""Vocabularies of several hundred thousand tokens take some ten MiB."""

_LENGTH = struct.Struct("<Q")

Read = Callable[[int, int], bytes]
"""Bytes from an offset on, fewer where the file ends."""


class Cursor:
    """A place in a file of ``size`` bytes, which is read ``chunk_bytes`` at a time."""

    def __init__(self, read: Read, size: int, chunk_bytes: int) -> None:
        self._read = read
        self._chunk_bytes = chunk_bytes
        self._end = min(size, LARGEST_HEADER_BYTES)
        self._is_cut = size > LARGEST_HEADER_BYTES
        self._data = b""
        self._start = 0
        self.place = 0
        """Bytes that were gone through."""

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes.

        Raises: HeaderError when the file, or what a header may take of it, ends before.
        """
        begin = self._reach(count)
        self.place += count
        return self._data[begin : begin + count]

    def skip(self, count: int) -> None:
        """Goes over the next ``count`` bytes without reading them.

        Raises: HeaderError.
        """
        if count > self._end - self.place:
            raise self._ended()
        self.place += count

    def skip_strings(self, count: int) -> None:
        """Goes over ``count`` strings, each behind its length of eight bytes.

        Raises: HeaderError.
        """
        for _ in range(count):
            begin = self._reach(_LENGTH.size)
            self.skip(_LENGTH.size + _LENGTH.unpack_from(self._data, begin)[0])

    def _reach(self, count: int) -> int:
        """Where in the chunk at hand the next ``count`` bytes begin."""
        begin = self.place - self._start
        if begin < 0 or begin + count > len(self._data):
            if count > self._end - self.place:
                raise self._ended()
            self._data = self._read(self.place, min(max(count, self._chunk_bytes), self._end - self.place))
            self._start, begin = self.place, 0
            if len(self._data) < count:
                raise self._ended()
        return begin

    def _ended(self) -> HeaderError:
        return HeaderError(
            f"it is longer than {LARGEST_HEADER_BYTES} bytes" if self._is_cut else "the file ends within it"
        )
