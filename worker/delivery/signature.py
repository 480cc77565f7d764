"""Signed messages, for clusters where whoever can write to the server is not trusted to have requests answered."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from .envelope import Envelope, MalformedMessageError

ANY_TEXT = ("utf-8", "surrogatepass")
"""JSON can spell halves of characters, which have no encoding of their own."""


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
        # As bytes: text that is not ASCII cannot be compared, and a forger writes what he likes.
        if not hmac.compare_digest(expected.encode(), (headers.signature or "").encode(*ANY_TEXT)):
            # Without the envelope: a forger must not choose whom an error is told.
            raise MalformedMessageError("signature", "the message does not bear its signature")

    def vouches_for(self, envelope: Envelope) -> bool:
        """Whether the envelope bears its signature."""
        try:
            self.check(envelope)
        except MalformedMessageError:
            return False
        return True

    def of_request(self, text: bytes) -> str:
        """The signature of an entry of the stream of requests, of which it covers the field ``request``.

        What is signed for a message of a queue begins with a length, and is no JSON object.
        """
        return hmac.new(self.secret, text, hashlib.sha256).hexdigest()

    def __repr__(self) -> str:
        # Celery shares connections between apps whose options read alike: those of two secrets must not.  The hash is
        # another in each process, and tells nothing of the secret.
        return f"Signer({hash(self.secret):x})"

    def _of(self, task: str, task_id: str, body: str) -> str:
        # Each part is preceded by its length, so that no two messages are the same text.
        text = "".join(f"{len(part)}:{part}" for part in (task, task_id, body))
        return hmac.new(self.secret, text.encode(*ANY_TEXT), hashlib.sha256).hexdigest()
