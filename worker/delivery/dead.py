"""Dead letters: what could not be given to a task, or failed for good, kept with the reason until somebody looks."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from schemas.errors import InvalidRequestError

from ..keys import Keys

if TYPE_CHECKING:
    from redis import Redis

FAILED = "failed"
"""The reason of letters that hold a task, not the message it came in: that is known no more when a task has failed."""

STREAM = "requests"
"""The source of letters that came by the stream of requests."""
LETTER_ID = re.compile(r"\d{1,19}-\d{1,19}")

PAGE = 500
"""Letters read at a time."""


@dataclass(frozen=True, kw_only=True)
class FailedTask:
    """A task as its letter has it."""

    task: str
    task_id: str
    named: Mapping[str, object]

    def encode(self) -> bytes:
        """The text of a letter."""
        return json.dumps({"task": self.task, "id": self.task_id, "kwargs": dict(self.named)}).encode()

    @classmethod
    def decode(cls, message: bytes) -> Self:
        """The task of a letter's text."""
        told = json.loads(message)
        return cls(task=told["task"], task_id=told["id"], named=told["kwargs"])


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message that was set aside."""

    letter_id: str
    """The entry of the stream, which begins with the time in milliseconds."""
    reason: str
    detail: str
    source: str
    """The queue it was taken from, or STREAM."""
    message: bytes
    length: int
    """Bytes the message had; more than are kept where it was too long."""
    request_ids: Sequence[str]
    """Ids that were answered with an error because of it."""

    @property
    def is_whole(self) -> bool:
        """Whether all of the message is kept."""
        return self.length == len(self.message)


@dataclass(frozen=True, kw_only=True)
class DeadLetters:
    """The stream of them."""

    redis: "Redis"
    """A client that does not decode: messages are bytes."""
    keys: Keys
    maxlen: int
    max_message_bytes: int

    def write(self, reason: str, detail: str, source: str, message: bytes, request_ids: Sequence[str]) -> str:
        """Sets ``message`` aside; the id of its letter.

        Raises: redis.RedisError.
        """
        fields: dict[Any, Any] = {
            "reason": reason,
            "detail": detail,
            "source": source,
            "message": message[: self.max_message_bytes],
            "length": len(message),
            "request_ids": json.dumps(list(request_ids)),
        }
        letter_id = self.redis.xadd(self.keys.dead, fields, maxlen=self.maxlen, approximate=True)
        return cast("bytes", letter_id).decode()

    def newest_first(self) -> Iterator[DeadLetter]:
        """All letters that are kept.

        Raises: redis.RedisError.
        """
        last = "+"
        while rows := _rows(self.redis.xrevrange(self.keys.dead, max=last, count=PAGE)):
            yield from (_letter(*row) for row in rows)
            last = f"({rows[-1][0].decode()}"

    def get(self, letter_id: str) -> DeadLetter:
        """The letter of that id.

        Raises: InvalidRequestError when there is none; redis.RedisError.
        """
        known = LETTER_ID.fullmatch(letter_id)
        rows = _rows(self.redis.xrange(self.keys.dead, letter_id, letter_id)) if known else []
        if not rows:
            raise InvalidRequestError(f"there is no dead letter {letter_id}", hint="`weighbridge dead list` shows all")
        return _letter(*rows[0])

    def drop(self, letter_id: str) -> bool:
        """Forgets a letter; whether there was one."""
        return bool(self.redis.xdel(self.keys.dead, letter_id))

    def __len__(self) -> int:
        return int(self.redis.xlen(self.keys.dead))


def _rows(reply: object) -> list[tuple[bytes, dict[bytes, bytes]]]:
    return cast("list[tuple[bytes, dict[bytes, bytes]]]", reply)


def _letter(letter_id: bytes, fields: dict[bytes, bytes]) -> DeadLetter:
    def text(name: str) -> str:
        return fields.get(name.encode(), b"").decode(errors="replace")

    message = fields.get(b"message", b"")
    return DeadLetter(
        letter_id=letter_id.decode(),
        reason=text("reason"),
        detail=text("detail"),
        source=text("source"),
        message=message,
        length=int(text("length") or len(message)),
        request_ids=json.loads(text("request_ids") or "[]"),
    )
