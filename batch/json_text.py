"""The one JSON text of a value, by which equal values are told."""

import json
from functools import lru_cache

from pydantic import JsonValue


def json_text(value: JsonValue) -> str:
    """``value`` as JSON, with its keys in order."""
    return _of_container(value) if isinstance(value, list | dict) else _of_scalar(value)


def _of_container(value: list[JsonValue] | dict[str, JsonValue]) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1024, typed=True)
def _of_scalar(value: str | float | None) -> str:
    """The text of most values, which requests repeat; 1, 1.0 and True are kept apart."""
    return json.dumps(value, ensure_ascii=False)
