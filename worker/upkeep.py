"""What keeps the service whole while its workers work: lost messages are sent again, and the intake is watched."""

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from redis.exceptions import RedisError

from .delivery.envelope import MalformedMessageError, read
from .delivery.intake import Intake
from .delivery.ledger import GivenUp, Ledger
from .delivery.refusals import Refusals
from .replies import Replies

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """One round after the other; every worker's supervisor runs it, and rounds of several do each other no harm."""

    intake: Intake
    ledger: Ledger
    refusals: Refusals
    replies: Replies
    gone_seconds: int

    def run(self, stop: threading.Event) -> None:
        """Rounds until ``stop`` is set, whatever the server does meanwhile."""
        closed = None
        while not stop.wait(EVERY_SECONDS):
            try:
                # Before results are let go of, which tell whose replies to look at.
                self.replies.forget()
                before, closed = closed, self.intake.watch()
                self.sweep()
            except RedisError as error:
                logger.debug("the server does not answer: %s", type(error).__name__, extra={"action": "upkeep"})
                continue
            if closed != before:
                logger.warning(
                    "the intake is %s",
                    f"closed: {closed}" if closed else "open again",
                    extra={"action": "intake_closed" if closed else "intake_open"},
                )

    def sweep(self) -> None:
        """Sends again what vanished, and answers for what does so each time.

        Raises: redis.RedisError.
        """
        swept = self.ledger.sweep(gone_seconds=self.gone_seconds)
        if swept.sent:
            logger.warning("sent %d messages again that were lost", len(swept.sent), extra={"action": "resend"})
        self.give_up(swept.given_up)

    def give_up(self, messages: Iterable[GivenUp]) -> None:
        """Answers for messages that vanished each time they were sent.

        Raises: redis.RedisError.
        """
        for tag, queue, message in messages:
            if self.refusals(self._lost_for_good(queue, message), queue, message):
                self.ledger.strike_out(tag)

    def _lost_for_good(self, queue: str, message: bytes) -> MalformedMessageError:
        try:
            envelope = read(message, queue, self.refusals.tasks, max_message_bytes=len(message))
        except MalformedMessageError as error:
            return error
        detail = f"it was lost {self.ledger.max_deliveries + 1} times on the way to a worker"
        return MalformedMessageError("workers_lost", detail, envelope)
