"""Reading a catalogue file: YAML, or JSON Lines with one model a line."""

from pathlib import Path
from typing import Any

import yaml

from schemas.bounds import refuse_beyond_bounds
from schemas.catalog_file import CatalogFile
from schemas.errors import InvalidRequestError
from schemas.parse import decode, parse
from schemas.request import MODEL_KEYS
from schemas.yaml_loader import LOADER

MAX_BYTES = 64 * 2**20
"""A file that is longer is no catalogue: it is held whole, while its cells are not."""

LINES = (".jsonl", ".ndjson")
"""Endings of files in JSON Lines; all others are YAML, of which JSON is a part."""


def read_catalog_file(path: Path) -> CatalogFile:
    """What the file says, its models not looked into.

    Raises: InvalidRequestError naming the field or the line at fault.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidRequestError(f"{path}: longer than {MAX_BYTES} bytes", hint="make several catalogues of it")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InvalidRequestError(f"{path}: {reason}", hint="name a catalogue file that can be read") from None
    value = _lines(path, text) if path.suffix in LINES else _yaml(path, text)
    if isinstance(value, dict):
        # Before anything copies it: aliases of YAML make a few lines stand for billions of values.
        refuse_beyond_bounds({key: each for key, each in value.items() if key != "models"})
    return parse(value, CatalogFile, "catalogue")


def _yaml(path: Path, text: str) -> object:
    try:
        return yaml.load(text, Loader=LOADER)  # noqa: S506 - safe loaders
    except (yaml.YAMLError, RecursionError) as error:
        told = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise InvalidRequestError(f"{path}: not YAML: {told}", hint="docs/batch.md shows a catalogue file") from None


def _lines(path: Path, text: str) -> object:
    """The catalogue whose settings are the first line, if that names no model, and whose models the others are."""
    models = [_value(f"{path}:{number}", line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]
    match models[:1]:
        case [dict(settings)] if settings.keys().isdisjoint(MODEL_KEYS):
            return {**settings, "models": models[1:]}
    return {"models": models}


def _value(place: str, line: str) -> Any:  # noqa: ANN401 - as decode
    try:
        return decode(line)
    except InvalidRequestError as error:
        raise InvalidRequestError(f"{place}: {error.message}", hint="write one JSON value a line") from None
