"""What the name of an image says: the engine in it, and perhaps its release."""

import re
from dataclasses import dataclass

from .engine_rows import EngineRows, ImageRow, load_engines

_RELEASE = re.compile(r"v?([0-9]{1,6}\.[0-9]{1,6}(?:\.[0-9]{1,6}){0,2})(?![0-9])")


@dataclass(frozen=True, kw_only=True)
class EngineImage:
    """An image that is known to have an engine in it."""

    rows: EngineRows
    row: ImageRow
    version: str | None
    """Release that the tag names; None where it names none."""


def engine_in(image: str | None) -> EngineImage | None:
    """The engine that ``image`` is known to have.

    >>> engine_in("docker.io/vllm/vllm-openai:v0.10.1").version
    '0.10.1'
    """
    name, _, tag = (image or "").partition("@")[0].rpartition(":")
    if "/" in tag or not name:
        name, tag = f"{name}:{tag}" if name else tag, ""
    for rows in load_engines():
        for row in rows.images:
            if name == row.name or name.endswith(f"/{row.name}"):
                release = _RELEASE.match(tag) if row.tag_is_version else None
                return EngineImage(rows=rows, row=row, version=release[1] if release else None)
    return None
