"""The files of one checkpoint, wherever they are."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from schemas.errors import ModelUnreadableError

Result = TypeVar("Result")

MOST_FILES = 2**14
"""Files one checkpoint may have; the largest that are published have some hundreds."""


class Files(Protocol):
    """A folder whose files are read in parts."""

    @property
    def field(self) -> str:
        """The field of the request that names it."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of each file by its name."""

    @property
    def chunk_bytes(self) -> int:
        """What is worth reading at once where it is not known how much is needed."""

    def read(self, name: str, offset: int, length: int) -> bytes:
        """``length`` bytes of file ``name`` from ``offset`` on, fewer where it ends.

        Raises: ModelUnreadableError, UnavailableError.
        """

    def each(self, read: Callable[[str], Result], names: Iterable[str]) -> Iterator[Result]:
        """What ``read`` makes of each of ``names``, in order."""


class HeaderError(ValueError):
    """A header is not what its format says."""


def unreadable(files: Files, name: str, why: str, hint: str | None = None) -> ModelUnreadableError:
    """The error that says why file ``name`` cannot be read."""
    return ModelUnreadableError(f"{files.field}: {name}: {why}", field=files.field, hint=hint)


def read_small(files: Files, name: str, largest: int) -> bytes:
    """All of file ``name``.

    Raises: ModelUnreadableError when it has more than ``largest`` bytes, UnavailableError.
    """
    size = files.sizes[name]
    if size > largest:
        raise unreadable(files, name, f"{size} bytes, more than {largest}")
    return files.read(name, 0, size)
