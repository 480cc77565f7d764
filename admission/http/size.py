"""``/v1/size`` and ``/v1/requests``: sizing requests, answered here at once or over the queue later."""

from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from schemas.closed import Closed
from schemas.errors import QueueFullError, UnavailableError, WeighbridgeError
from schemas.parse import decode, parse_request
from schemas.recommendation import ErrorAnswer, Recommendation
from schemas.vocabulary import ErrorCode

from .bodies import TooLargeError, error_response, json_response, read_body
from .door import Door

SIZE_SECONDS = 10.0
"""When a caller of ``/v1/size`` is told that it took too long."""

STATUS_OF: dict[ErrorCode, int] = {"queue_full": 429, "unavailable": 503, "internal": 500}
"""HTTP status by the code of an error; of others 422: the request is at fault."""

RETRY_SECONDS = 1
"""When to ask again for an answer that is not there yet."""


class Accepted(Closed):
    """A request that will be answered later."""

    request_id: str
    status: Literal["accepted", "pending"]
    """``pending``: not answered yet, or not known, or forgotten."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """Sizing requests."""

    door: Door

    async def size(self, request: Request) -> Response:
        """The recommendation for the request in the body."""
        try:
            value = decode(await read_body(request, self.door.settings.max_body_bytes))
            answer = await self.door.thread.within(SIZE_SECONDS, lambda: self.door.rules.weigh(value))
        except WeighbridgeError as error:
            return _told(error)
        return _response(answer)

    async def submit(self, request: Request) -> Response:
        """The id under which the request in the body will be answered; it is on the queue by then."""
        try:
            value = decode(await read_body(request, self.door.settings.max_body_bytes))
            parse_request(value)
            request_id = await self.door.queue.submit(value)
        except WeighbridgeError as error:
            return _told(error)
        accepted = Accepted(request_id=request_id, status="accepted")
        return json_response(accepted, status=202, headers={"Location": f"/v1/requests/{request_id}"})

    async def answer(self, request: Request) -> Response:
        """The answer to a request that was put on the queue before."""
        request_id: str = request.path_params["request_id"]
        try:
            answer = await self.door.queue.answer(request_id)
        except WeighbridgeError as error:
            return _told(error)
        if answer is not None:
            return _response(answer)
        pending = Accepted(request_id=request_id, status="pending")
        return json_response(pending, status=202, headers={"Retry-After": str(RETRY_SECONDS)})


def _response(answer: Recommendation | ErrorAnswer) -> Response:
    status = STATUS_OF.get(answer.error.code, 422) if isinstance(answer, ErrorAnswer) else 200
    return json_response(answer, status=status)


def _told(error: WeighbridgeError) -> Response:
    if isinstance(error, TooLargeError):
        return error_response(error, 413)
    response = error_response(error, STATUS_OF.get(error.code, 422))
    if isinstance(error, QueueFullError):
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    elif isinstance(error, UnavailableError):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
