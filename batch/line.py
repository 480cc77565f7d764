"""One line of a results file: a cell, what it asked, and its answer as it came."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from schemas.catalog_file import AS_PUBLISHED

from .json_text import json_text

PREFIX = "cell-"
"""Begins the request id of a cell; its number follows."""

_LINE = re.compile(
    r'\{"cell":(?P<cell>\d+),"model":"(?:[^"\\]|\\.)*","request":(?P<request>\{.*?\}),'
    r'"answer":\{"request_id":"cell-(?P<answered>\d+)",'
    r'"status":"(?:ok","verdict":"(?P<verdict>[a-z_]+)"|error","error":\{"code":"(?P<code>[a-z_]+)")'
)
_ANSWERED = re.compile(r'\{"request_id":"cell-(\d+)",')
_INTERNAL = re.compile(r'\{"request_id":"cell-\d+","status":"error","error":\{"code":"internal"')
_VERSIONS = '"versions":{"weighbridge"'


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a line comes to, read without decoding the answer."""

    cell: int
    weight_format: str
    verdict: str | None
    """None where the answer is an error."""
    code: str | None
    """The error's; None where there is a verdict."""
    versions: str | None
    """Versions the answer was computed with, as JSON; None for errors."""


def head(cell: int, label: str, asked: Mapping[str, JsonValue]) -> str:
    """What stands on the line before the answer."""
    return f'{{"cell":{cell},"model":{json_text(label)},"request":{json_text(dict(asked))},"answer":'


def answered(answer: str) -> int | None:
    """The number of the cell that ``answer`` is for; None where it is for none."""
    found = _ANSWERED.match(answer)
    return int(found[1]) if found else None


def is_internal(answer: str) -> bool:
    """Whether it tells of a fault that the cell need not have, but what was asked with it."""
    return _INTERNAL.match(answer) is not None


def outcome(line: str) -> Outcome | None:
    """What a whole line comes to; None where it is none."""
    found = _LINE.match(line)
    if found is None or found["cell"] != found["answered"] or not line.endswith("}}\n"):
        return None
    begin = line.find(_VERSIONS, found.end())
    versions = line[begin + len('"versions":') : line.index("}", begin) + 1] if begin >= 0 else None
    try:
        asked = json.loads(found["request"])
    except ValueError:
        return None
    return Outcome(
        cell=int(found["cell"]),
        weight_format=asked.get("weight_format") or AS_PUBLISHED,
        verdict=found["verdict"],
        code=found["code"],
        versions=versions,
    )
