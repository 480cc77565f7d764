"""The one JSON text of a value, by which equal values are told."""

import json
import re
from functools import lru_cache

from pydantic import JsonValue

_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


def json_text(value: JsonValue) -> str:
    """``value`` as JSON, with its keys in order; what UTF-8 cannot write, half a character, is spelt out."""
    text = _text(value)
    return text if text.isascii() else _HALF_A_CHARACTER.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def _text(value: JsonValue) -> str:
    return _of_container(value) if isinstance(value, list | dict) else _of_scalar(value)


def _of_container(value: list[JsonValue] | dict[str, JsonValue]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1024, typed=True)
def _of_scalar(value: str | float | None) -> str:
    """The text of most values, which requests repeat; 1, 1.0 and True are kept apart."""
    return json.dumps(value, ensure_ascii=False)
