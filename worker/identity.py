"""Which request id an answer goes out under."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from schemas.request import SizingRequest

_ANNOTATION: Any = SizingRequest.model_fields["request_id"].annotation
_REQUEST_ID: TypeAdapter[str | None] = TypeAdapter(_ANNOTATION)


def request_id_of(value: object, fallback: str) -> str:
    """The request id that ``value`` carries if the contract allows it, else ``fallback``."""
    given = value.get("request_id") if isinstance(value, Mapping) else None
    try:
        return _REQUEST_ID.validate_python(given, strict=True) or fallback
    except ValidationError:
        return fallback


def id_in_list(task_id: str, index: int) -> str:
    """The id of a list's ``index``-th request that carries none, the same on every delivery."""
    return f"{task_id}-{index}"


def reply_to_of(named: Mapping[str, object]) -> str | None:
    """The name of the one reply list to which all answers of a task go; None where it has none, or none that may be."""
    return request_id_of({"request_id": named.get("reply_to")}, "") or None


def ids_of(task_id: str, named: Mapping[str, object]) -> list[str]:
    """The ids under which a task's requests are answered, from its keyword arguments, whatever they are."""
    requests = named.get("requests")
    if isinstance(requests, list) and requests:
        return [request_id_of(request, id_in_list(task_id, index)) for index, request in enumerate(requests)]
    return [request_id_of(named.get("request"), task_id)]
