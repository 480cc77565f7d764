"""Reading the packaged data files."""

import csv
import hashlib
import io
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeVar

import yaml
from pydantic import ConfigDict, TypeAdapter

from schemas.yaml_loader import LOADER

_ROOT = files(__package__)

Shape = TypeVar("Shape")

CLOSED = ConfigDict(extra="forbid")
"""For ``__pydantic_config__`` of the dataclasses that data files are read into."""


def read_bytes(name: str) -> bytes:
    """Bytes of the data file ``name``."""
    return _ROOT.joinpath(name).read_bytes()


def read_csv(name: str) -> list[dict[str, str]]:
    """Rows of a CSV data file, keyed by its header."""
    return list(csv.DictReader(io.StringIO(read_bytes(name).decode())))


def read_yaml(name: str, shape: type[Shape], folder: Traversable = _ROOT) -> Shape:
    """The YAML data file ``name``, whose fields are those of the dataclass ``shape`` and no others.

    Rows of other rooms lie in a ``folder`` of their own.
    """
    content = folder.joinpath(name).read_bytes()
    value = yaml.load(content, Loader=LOADER)  # noqa: S506 - safe loaders
    return TypeAdapter(shape).validate_python(value)


@cache
def catalog_version() -> str:
    """``sha256:`` and the digest of every data file's name and bytes."""
    digest = hashlib.sha256()
    for name, data in sorted(_data_files(_ROOT, "")):
        digest.update(f"{name}\0{len(data)}\0".encode() + data)
    return f"sha256:{digest.hexdigest()}"


def _data_files(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = prefix + entry.name
        if entry.is_dir():
            found += _data_files(entry, name + "/")
        elif name.endswith((".csv", ".yaml", ".json")):
            found.append((name, entry.read_bytes()))
    return found
