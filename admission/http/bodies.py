"""Bodies as they come in, bounded before they are read, and as they go out."""

import asyncio
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


BODY_SECONDS = 10.0
"""Whoever has not sent the whole body by then is answered without it."""
LET_PASS = 4
"""Times the limit of a longer body that is let pass by before it is refused: who is cut off while sending may lose the
answer with the connection."""


class UnreadBodyError(WeighbridgeError):
    """The body is longer than what is read, or does not come."""

    code = "invalid_request"

    def __init__(self, message: str, *, hint: str, status: int) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        """HTTP status that says so."""


async def read_body(request: Request, limit: int) -> bytes:
    """The body, of at most ``limit`` bytes.

    Raises: UnreadBodyError when it is longer, or takes too long.
    """
    body, length = bytearray(), 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.stream():
                length += len(part)
                if length <= limit:
                    body += part
                elif length > limit * LET_PASS:
                    break
    except TimeoutError:
        why = f"the body did not come within {BODY_SECONDS:.0f} s"
        raise UnreadBodyError(why, hint="ask again", status=408) from None
    if length > limit:
        raise _too_large(limit)
    return bytes(body)


async def read_object(request: Request, limit: int) -> Any:  # noqa: ANN401 - decoded JSON, looked at by who asked
    """The decoded body of a call that carries an object of a cluster.

    Raises: UnreadBodyError; InvalidRequestError.
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


def _too_large(limit: int) -> UnreadBodyError:
    return UnreadBodyError(
        f"the body is longer than {limit} bytes", hint="send less, or raise the limit where it is served", status=413
    )
