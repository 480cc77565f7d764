"""The releases of engines that the support rules describe."""

from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from schemas.closed import Closed
from schemas.vocabulary import EngineName

from .lined_yaml import read_lined


class DocumentedRelease(Closed):
    """A release and what it was read from."""

    version: str
    source: str


@cache
def documented_releases() -> dict[EngineName, DocumentedRelease]:
    """The release of every engine that the support rules describe."""
    text = Path(__file__).with_name("documented_releases.yaml").read_text(encoding="utf-8")
    return TypeAdapter(dict[EngineName, DocumentedRelease]).validate_python(read_lined(text).value)
