"""Speculative decoding, as engines are told of it."""

from collections.abc import Mapping
from typing import Any

from .engine_rows import EngineRows
from .errors import UnreadableError
from .models import model_reference

_NO_MODEL = "[ngram]"
"""vLLM's older word for proposing from the prompt, in place of a model."""


def speculative(rows: EngineRows, values: Mapping[str, Any], assumed: list[str]) -> dict[str, Any] | None:
    """The request's field; None where nothing proposes tokens that takes memory.

    Raises: UnreadableError.
    """
    pieces = {
        name.removeprefix("speculative."): value for name, value in values.items() if name.startswith("speculative.")
    }
    told = {**values.get("speculative", {}), **pieces}
    method, model = told.get("method"), told.get("model")
    known = rows.speculative.methods.get(str(method)) if rows.speculative else None
    if (method is None and model is None) or known == "none" or model == _NO_MODEL:
        return None
    number = told.get("num_speculative_tokens")
    if number is None:
        number = 1
        assumed.append("no number of speculative tokens is given: 1 is weighed")
    if not isinstance(number, int) or isinstance(number, bool):
        raise _wrong(f"{number!r:.40} is no number of speculative tokens")
    if known == "own":
        return {"num_speculative_tokens": number}
    if not isinstance(model, str):
        raise _wrong("it names no draft model")
    return {"num_speculative_tokens": number, "draft_model": model_reference(model, None)}


def _wrong(why: str) -> UnreadableError:
    return UnreadableError(
        f"speculative decoding cannot be read: {why}", reason="ArgumentUnreadable", field="speculative"
    )
