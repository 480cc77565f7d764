"""From untrusted JSON to a request, or to one error that names the field and the fix."""

import difflib
import json
import math
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .bounds import refuse_beyond_bounds
from .errors import InvalidRequestError
from .request import MODEL_KEYS, SizingRequest

Shape = TypeVar("Shape", bound=BaseModel)


def parse_request(value: object) -> SizingRequest:
    """The request that ``value``, decoded JSON, spells.

    Raises: InvalidRequestError naming the first field at fault.
    """
    refuse_beyond_bounds(value)
    return parse(value, SizingRequest)


def parse(value: object, shape: type[Shape], called: str = "request") -> Shape:
    """What ``value``, decoded JSON, spells of ``shape``; ``called`` is what a person calls the whole of it.

    Raises: InvalidRequestError naming the first field at fault.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        raise _told(error.errors(include_url=False)[0], shape, called) from None


def decode(text: str | bytes) -> Any:  # noqa: ANN401 - decoded JSON is of any shape until it is validated
    """The value ``text`` spells in JSON, without NaN, infinities or keys said twice.

    Raises: InvalidRequestError.
    """
    try:
        return json.loads(text, parse_constant=_not_json, parse_float=_finite, object_pairs_hook=_said_once)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidRequestError(f"the request is not JSON: {reason}", hint="send one JSON object a request") from None


def _not_json(constant: str) -> NoReturn:
    raise InvalidRequestError(f"{constant} is not JSON", hint="send a finite number, or leave the field out")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_json(text)


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InvalidRequestError(f"the key {twice!r} is said twice", field=twice, hint="say it once")
    return value


def _told(detail: ErrorDetails, shape: type[BaseModel], called: str) -> InvalidRequestError:
    location = _location(detail)
    field = ".".join(location) or None
    kind, context = detail["type"], detail.get("ctx", {})
    message = detail["msg"].removeprefix("Value error, ")
    hint: str | None = None
    if kind == "extra_forbidden":
        message, hint = "there is no such field", _nearest_field(location, shape)
    elif kind == "missing":
        message, hint = "this field is required", "add it"
    elif kind == "literal_error":
        message, hint = f"{detail['input']!r:.60} is not one of its values", f"use {context['expected']}"
    elif bounds := [f"{words} {context[name]}" for name, words in BOUNDS.items() if name in context]:
        hint = f"use a number {' and '.join(bounds)}"
    return InvalidRequestError(f"{field or called}: {message}", field=field, hint=hint)


BOUNDS = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}


def _location(detail: ErrorDetails) -> list[str]:
    """The path of the field at fault, as a person would write it."""
    location = [str(part) for part in detail["loc"]]
    for name in ("model", "draft_model"):
        if name in location[:-1]:
            # pydantic names the chosen kind of model between the model and its fields.
            del location[location.index(name) + 1]
    return location


def _nearest_field(location: list[str], shape: type[BaseModel]) -> str:
    if location[-2:-1] in (["model"], ["draft_model"]):
        names = list(MODEL_KEYS)
    elif len(location) == 1:
        names = list(shape.model_fields)
    else:
        names = _fields_of(shape.model_fields[location[0]].annotation)
    near = difflib.get_close_matches(location[-1], names, n=1)
    return f"did you mean {near[0]}?" if near else f"the fields are {', '.join(names)}"


def _fields_of(annotation: object) -> list[str]:
    """The fields of a shape, or of the one shape in a union or a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return list(annotation.model_fields)
    return next(filter(None, map(_fields_of, getattr(annotation, "__args__", ()))), [])
