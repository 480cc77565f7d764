"""Folders below the model root: nothing outside it is opened, and nothing but regular files."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from schemas.errors import InvalidRequestError, ModelUnreadableError, UnknownModelError

from .files import MOST_FILES, Result, unreadable

FIELD = "model.path"
CHUNK_BYTES = 2**14

Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Name, size, time of change and number of each file: what tells that a folder is as it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path means: a folder, and the one file in it that was named, if one was."""

    folder: Path
    chosen: str | None


def find(root: Path, path: str) -> Place:
    """The folder that ``path`` below ``root`` names, or the folder of the file it names.

    Raises: InvalidRequestError when it leads out of the root, UnknownModelError when nothing is there,
    ModelUnreadableError when it is neither a folder nor a GGUF file.
    """
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or "\0" in path:
        raise InvalidRequestError(
            f"{FIELD}: {path!r} is not a path below the model root",
            field=FIELD,
            hint="give it relative to WEIGHBRIDGE_MODEL_ROOT, without ..",
        )
    if not root.is_dir():
        raise ModelUnreadableError(
            f"{FIELD}: the model root is not there", field=FIELD, hint="WEIGHBRIDGE_MODEL_ROOT must name a folder"
        )
    found = _inside(root, root.joinpath(*parts), path)
    if found.is_dir():
        return Place(folder=found, chosen=None)
    name = root.joinpath(*parts)
    if not name.name.endswith(".gguf"):
        raise ModelUnreadableError(
            f"{FIELD}: {path!r} is neither a folder nor a GGUF file", field=FIELD, hint="name the model's folder"
        )
    return Place(folder=_inside(root, name.parent, path), chosen=name.name)


def _inside(root: Path, wanted: Path, path: str) -> Path:
    """``wanted`` with every link followed.

    Raises: InvalidRequestError when that is not below ``root``, UnknownModelError when it is not there.
    """
    base = root.resolve()
    try:
        found = wanted.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise UnknownModelError(
            f"{FIELD}: nothing below the model root is called {path!r}",
            field=FIELD,
            hint="give the path of the model's folder relative to WEIGHBRIDGE_MODEL_ROOT",
        ) from error
    if not found.is_relative_to(base):
        raise InvalidRequestError(f"{FIELD}: {path!r} leads out of the model root", field=FIELD)
    return found


@dataclass(frozen=True, kw_only=True)
class Folder:
    """The regular files of one folder, those behind links too as long as they are below the root."""

    root: Path
    folder: Path
    fingerprint: Fingerprint

    @property
    def chunk_bytes(self) -> int:
        """What is worth reading at once: some pages."""
        return CHUNK_BYTES

    @property
    def field(self) -> str:
        """The field of the request that names it."""
        return FIELD

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of each file by its name."""
        return {name: size for name, size, _, _ in self.fingerprint}

    def read(self, name: str, offset: int, length: int) -> bytes:
        """``length`` bytes of file ``name`` from ``offset`` on, fewer where it ends.

        Raises: ModelUnreadableError, InvalidRequestError.
        """
        path = _inside(self.root, self.folder / name, name)
        try:
            # Between the look and the opening, a file may become a link or a pipe: neither is opened, nor waited for.
            opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if not stat.S_ISREG(os.fstat(opened).st_mode):
                    raise unreadable(self, name, "it is not a regular file")
                return os.pread(opened, length, offset)
            finally:
                os.close(opened)
        except OSError as error:
            raise unreadable(self, name, error.strerror or "it cannot be read") from error

    def each(self, read: Callable[[str], Result], names: Iterable[str]) -> Iterator[Result]:
        """What ``read`` makes of each of ``names``, in order."""
        return map(read, names)


def open_folder(root: Path, folder: Path) -> Folder:
    """The files of ``folder`` as they are now.

    Raises: ModelUnreadableError.
    """
    base = root.resolve()
    try:
        with os.scandir(folder) as entries:
            found = [_seen(base, entry) for entry in islice(entries, MOST_FILES + 1)]
    except OSError as error:
        raise ModelUnreadableError(f"{FIELD}: {error.strerror or 'the folder cannot be read'}", field=FIELD) from error
    if len(found) > MOST_FILES:
        raise ModelUnreadableError(f"{FIELD}: the folder holds more than {MOST_FILES} files", field=FIELD)
    return Folder(root=root, folder=folder, fingerprint=tuple(sorted(filter(None, found))))


def _seen(base: Path, entry: "os.DirEntry[str]") -> tuple[str, int, int, int] | None:
    """A file as it is now; None for what is none, or lies behind a link that leads out of ``base``."""
    try:
        if not entry.is_file() or (entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(base)):
            return None
        state = entry.stat()
    except (OSError, RuntimeError):
        return None
    return entry.name, state.st_size, state.st_mtime_ns, state.st_ino
