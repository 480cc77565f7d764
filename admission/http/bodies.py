"""Bodies as they come in, bounded before they are read, and as they go out."""

from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from schemas.bounds import refuse_beyond_bounds
from schemas.errors import WeighbridgeError
from schemas.parse import decode
from schemas.recommendation import ErrorAnswer

OBJECT_DEPTH = 128
"""Objects and lists within each other in a review: managed fields repeat the nesting of what they manage."""
OBJECT_CHARACTERS = 2**20
"""Characters of a string in a review: an annotation may hold the whole object as it was applied."""


class TooLargeError(WeighbridgeError):
    """The body is longer than what is read."""

    code = "invalid_request"


async def read_body(request: Request, limit: int) -> bytes:
    """The body, of at most ``limit`` bytes.

    Raises: TooLargeError as soon as it is known to be longer.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


async def read_object(request: Request, limit: int) -> Any:  # noqa: ANN401 - decoded JSON, looked at by who asked
    """The decoded body of a call that carries an object of a cluster.

    Raises: TooLargeError; InvalidRequestError.
    """
    value = decode(await read_body(request, limit))
    refuse_beyond_bounds(value, depth=OBJECT_DEPTH, characters=OBJECT_CHARACTERS)
    return value


def json_response(
    shape: BaseModel, *, status: int = 200, headers: dict[str, str] | None = None, omit_null: bool = False
) -> Response:
    """The answer that ``shape`` is; ``omit_null`` leaves out what is not said, as Kubernetes does."""
    text = shape.model_dump_json(by_alias=True, exclude_none=omit_null)
    return Response(text, status_code=status, headers=headers, media_type="application/json")


def error_response(error: WeighbridgeError, status: int) -> Response:
    """The answer that tells of ``error``; no request has been given an id by then."""
    return json_response(ErrorAnswer.of("-", error), status=status)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError(f"the body is longer than {limit} bytes", hint="send less, or raise the limit")
