"""Signed messages, for clusters where whoever can write to the server is not trusted to have requests answered."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from .envelope import Envelope, MalformedMessageError


@dataclass(frozen=True)
class Signer:
    """Signs and checks with one secret that producers and workers share."""

    secret: bytes

    def sign(self, message: dict[str, Any]) -> None:
        """Puts the signature into the headers of ``message``, of which it covers task, id and body."""
        headers = message["headers"]
        headers["signature"] = self._of(headers["task"], headers["id"], message["body"])

    def check(self, envelope: Envelope) -> None:
        """Raises MalformedMessageError unless the envelope bears its signature."""
        headers = envelope.headers
        expected = self._of(headers.task, headers.id, envelope.body)
        if not hmac.compare_digest(expected, headers.signature or ""):
            # Without the envelope: a forger must not choose whom an error is told.
            raise MalformedMessageError("signature", "the message does not bear its signature")

    def of_request(self, text: bytes) -> str:
        """The signature of an entry of the stream of requests, of which it covers the field ``request``.

        What is signed for a message of a queue begins with a length, and is no JSON object.
        """
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        return "Signer()"

    def _of(self, task: str, task_id: str, body: str) -> str:
        # Each part is preceded by its length, so that no two messages are the same text.
        text = "".join(f"{len(part)}:{part}" for part in (task, task_id, body))
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()
