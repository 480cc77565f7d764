"""The one JSON text of a value, by which equal values are told."""

import json

from pydantic import JsonValue


def json_text(value: JsonValue) -> str:
    """``value`` as JSON, with its keys in order."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
