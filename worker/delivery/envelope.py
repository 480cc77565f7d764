"""What a message on a queue must look like: Celery's protocol 2, as its producers write it, and nothing beside.

A stock worker ends, drops its connection or forgets the request when it is sent something else.
"""

import base64
import binascii
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from kombu.utils.json import loads
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import InvalidRequestError
from schemas.parse import decode

Reason = Literal[
    "too_large",
    "not_json",
    "not_an_envelope",
    "content_type",
    "body",
    "unknown_task",
    "delayed",
    "signature",
    "workers_lost",
]
"""Why a message is not given to a task."""

LONGEST_DELAY = timedelta(minutes=1)
"""A worker holds a delayed message, and holds it in vain beyond the visibility timeout; retries are seconds away."""
LONGEST_AGE = timedelta(days=366)
"""Dates that are further away are nobody's, and some cannot be computed with."""

Name = Annotated[str, Field(max_length=512)]
Nothing = Annotated[list[Any], Field(max_length=0)] | None
NoNames = Annotated[dict[str, Any], Field(max_length=0)] | None


class MalformedMessageError(Exception):
    """The message cannot be given to a task."""

    def __init__(self, reason: Reason, detail: str, envelope: "Envelope | None" = None) -> None:
        # Half a character, which JSON can spell, could be told to nobody.
        self.detail = detail.encode(errors="backslashreplace").decode()
        super().__init__(self.detail)
        self.reason = reason
        self.envelope = envelope
        """What could be read of it; None where it is no envelope at all."""


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, populate_by_name=True)


class DeliveryInfo(_Shape):
    """How the message was addressed."""

    exchange: Literal[""]
    routing_key: Name
    redelivered: bool = False


class Properties(_Shape):
    """What the transport needs to know."""

    delivery_tag: Annotated[str, Field(min_length=1, max_length=128)]
    delivery_info: DeliveryInfo
    delivery_mode: Literal[1, 2] = 2
    body_encoding: Literal["base64"]
    correlation_id: Name | None = None
    reply_to: Name | None = None
    priority: Annotated[int, Field(ge=0, le=255)] | None = None


class Headers(_Shape):
    """What Celery reads of a task before it looks at the body.

    Others may stand beside them, such as those of tracing, if they are plain values.  What would change how a task is
    run, or have others run after it, must be left empty.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | int | float | bool | None]

    task: Name
    id: Annotated[str, Field(min_length=1, max_length=128)]
    lang: Name | None = None
    shadow: None = None
    eta: Name | None = None
    expires: Name | None = None
    group: Name | None = None
    group_index: int | None = None
    retries: Annotated[int, Field(ge=0, le=100)] = 0
    timelimit: Annotated[list[None], Field(min_length=2, max_length=2)] | None = None
    root_id: Name | None = None
    parent_id: Name | None = None
    argsrepr: str | None = None
    kwargsrepr: str | None = None
    origin: Name | None = None
    ignore_result: bool | None = None
    replaced_task_nesting: Annotated[int, Field(ge=0, le=100)] | None = None
    stamped_headers: Nothing = None
    stamps: NoNames = None
    compression: None = None
    deliveries: Annotated[int, Field(ge=0)] = 0
    """How many workers were lost while they held the message."""
    signature: Name | None = None


class Envelope(_Shape):
    """A message as it lies on a queue."""

    headers: Headers
    properties: Properties
    content_type: Annotated[str, Field(alias="content-type")]
    content_encoding: Annotated[str, Field(alias="content-encoding")]
    body: str


class Embedded(_Shape):
    """The third part of a body: tasks to run after this one, of which there may be none."""

    callbacks: Nothing = None
    errbacks: Nothing = None
    chain: Nothing = None
    chord: None = None


def read(raw: bytes, queue: str, tasks: Collection[str], *, max_message_bytes: int) -> Envelope:
    """The envelope ``raw``, taken from ``queue``, is in, if a worker can run it.

    Raises: MalformedMessageError.
    """
    envelope = parse(raw, max_message_bytes=max_message_bytes)
    check(envelope, queue, tasks)
    return envelope


def parse(raw: bytes, *, max_message_bytes: int) -> Envelope:
    """The envelope ``raw`` is in, whatever it is for.

    Raises: MalformedMessageError.
    """
    if len(raw) > max_message_bytes:
        raise MalformedMessageError("too_large", f"{len(raw)} bytes, more than {max_message_bytes}")
    try:
        # As kombu reads it next, with what its decoder makes of some objects: what passes here fails nowhere later.
        value = loads(raw.decode())
    except Exception as error:  # noqa: BLE001 - its decoder hands out whatever a constructor raises
        raise MalformedMessageError("not_json", f"the message is not JSON: {_short(error)}") from None
    try:
        return Envelope.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise MalformedMessageError("not_an_envelope", f"{place or 'message'}: {first['msg']}") from None


def check(envelope: Envelope, queue: str, tasks: Collection[str]) -> None:
    """Raises MalformedMessageError unless a worker can run the envelope, taken from ``queue``."""
    _check_address(envelope, queue, tasks)
    _check_delay(envelope)
    _check_body(envelope)


def arguments(envelope: Envelope) -> tuple[list[Any], dict[str, Any], Any]:
    """Positional arguments, keyword arguments, and what is embedded.

    Raises: MalformedMessageError.
    """
    try:
        body = decode(base64.b64decode(envelope.body, validate=True))
    except (InvalidRequestError, binascii.Error, ValueError) as error:
        raise MalformedMessageError("body", f"the body cannot be read: {_short(error)}", envelope) from None
    match body:
        case [list(positional), dict(named), embedded]:
            return positional, named, embedded
    raise MalformedMessageError("body", "the body is not [args, kwargs, embed]", envelope)


def _check_address(envelope: Envelope, queue: str, tasks: Collection[str]) -> None:
    if envelope.content_type != "application/json" or envelope.content_encoding.lower() != "utf-8":
        told = f"{envelope.content_type} in {envelope.content_encoding}"
        raise MalformedMessageError("content_type", f"{told[:100]}: expected application/json in utf-8", envelope)
    # A worker that is lost puts the message back where its address says.
    if envelope.properties.delivery_info.routing_key != queue:
        raise MalformedMessageError("not_an_envelope", f"properties.delivery_info.routing_key is not {queue}", envelope)
    if envelope.headers.task not in tasks:
        raise MalformedMessageError("unknown_task", f"there is no task {envelope.headers.task[:100]!r}", envelope)


def _check_delay(envelope: Envelope) -> None:
    for name, text, longest in (
        ("eta", envelope.headers.eta, LONGEST_DELAY),
        ("expires", envelope.headers.expires, LONGEST_AGE),
    ):
        if text is None:
            continue
        try:
            at = datetime.fromisoformat(text)
            away = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
        except (ValueError, OverflowError):
            raise MalformedMessageError("not_an_envelope", f"headers.{name} is no time", envelope) from None
        if not -LONGEST_AGE < away < longest:
            raise MalformedMessageError("delayed", f"headers.{name} is too far away", envelope)


def _check_body(envelope: Envelope) -> None:
    _, _, embedded = arguments(envelope)
    try:
        Embedded.model_validate(embedded)
    except ValidationError:
        raise MalformedMessageError("body", "the body embeds other tasks", envelope) from None


def _short(error: Exception) -> str:
    return f"{error}"[:200]
