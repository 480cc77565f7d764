"""What becomes of a message that cannot be given to a task: set aside, and answered as far as it says for whom."""

import base64
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from schemas.errors import InvalidRequestError, WeighbridgeError
from schemas.recommendation import ErrorAnswer

from ..channel import Encoded, Publisher
from ..identity import ids_of, reply_to_of
from .dead import DeadLetters
from .envelope import Envelope, MalformedMessageError
from .ledger import Ledger
from .signature import Signer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Refusals:
    """Sets messages aside and answers for them."""

    publisher: Publisher
    dead: DeadLetters
    ledger: Ledger
    tasks: Sequence[str]
    """The tasks that somebody waits for an answer of."""
    signer: Signer | None
    """Checks signatures; None where none are asked for."""

    def __call__(self, error: MalformedMessageError, queue: str, message: bytes) -> bool:
        """Whether it was set aside.  Never raises: a worker that cannot tell of one message goes on with the next."""
        named = self._answerable(error.envelope)
        request_ids = ids_of(*named) if named else []
        answers = [_answer(request_id, error) for request_id in request_ids]
        try:
            self.dead.write(error.reason, error.detail, queue, message, request_ids)
            self.publisher.deliver(answers, reply_to_of(named[1]) if named else None)
            if error.envelope is not None:
                self.ledger.strike_out(error.envelope.properties.delivery_tag)
        except RedisError as away:
            # A message of ours stays in the ledger, and comes again.
            logger.error(  # noqa: TRY400 - what the server did is told, where we are is known
                "a message could not be set aside: %s", type(away).__name__, extra={"action": "dead_letter"}
            )
            return False
        logger.warning(
            "set aside a message from %s: %s: %s", queue, error.reason, error.detail, extra={"action": "dead_letter"}
        )
        return True

    def _answerable(self, envelope: Envelope | None) -> tuple[str, Mapping[str, object]] | None:
        """Id and keyword arguments of the task, if it is one that somebody waits for an answer of."""
        if envelope is None or envelope.headers.task not in self.tasks:
            return None
        # Also what was found in the ledger: whoever sends can write there.
        if self.signer is not None and not self.signer.vouches_for(envelope):
            return None
        return envelope.headers.id, _named(envelope)


def _named(envelope: Envelope) -> Mapping[str, object]:
    """The keyword arguments as far as anything can be read: what is said twice, or wrong, matters no more."""
    try:
        match json.loads(base64.b64decode(envelope.body)):
            case [_, dict(named), *_]:
                return named
    except (ValueError, RecursionError):
        pass
    return {}


def _answer(request_id: str, error: MalformedMessageError) -> Encoded:
    from rules import recommend  # noqa: PLC0415 - the engine stays out of a worker that has no use for it

    told: WeighbridgeError
    if error.reason == "workers_lost":
        told = WeighbridgeError("the request ended the worker that computed it, each time it was tried")
    else:
        told = InvalidRequestError(f"the message cannot be read: {error.detail}", hint="docs/protocol.md says how")
    return Encoded(request_id=request_id, body=recommend.encode(ErrorAnswer.of(request_id, told)))
