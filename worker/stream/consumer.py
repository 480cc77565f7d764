"""The loop of one process on the stream: read, answer, publish, until it is told to stop or is worn out.

What is new is answered in batches.  What was held before, by a process that ended, is answered one by one, each
counted as delivered as it is begun: an entry that ends its process is so told from its neighbours.
"""

import logging
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from billiard.exceptions import SoftTimeLimitExceeded, WorkerLostError
from redis.exceptions import RedisError

from schemas.errors import InvalidRequestError

from .. import recycling
from ..answering import Answering, failure
from ..channel import Encoded
from ..delivery.dead import FAILED, STREAM
from .beat import Beat
from .entry import ForgedEntryError, RequestEntry
from .inbox import Held, Inbox
from .outbox import Outbox, Settlement
from .time_limits import InterruptedByStopError, OutOfTimeError, TimeLimits

if TYPE_CHECKING:
    from ..settings import Settings

logger = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
SLEEP_SECONDS = 0.1
"""A pause is slept in pieces, so that it ends when the process is told to stop."""
FEWEST_DELIVERIES = 2
"""A batch that ended its process holds one entry at fault, and only alone does it show which."""


class Consumer:
    """Answers the stream of requests; ``stop`` may be called from a signal handler."""

    def __init__(  # noqa: PLR0917 - its parts, each of a type of its own
        self, settings: "Settings", inbox: Inbox, answering: Answering, outbox: Outbox, limits: TimeLimits, beat: Beat
    ) -> None:
        self._inbox = inbox
        self._answering = answering
        self._outbox = outbox
        self._limits = limits
        self._beat = beat
        self._max_deliveries = max(FEWEST_DELIVERIES, settings.max_deliveries)
        self._soft_shutdown_seconds = settings.soft_shutdown_seconds
        self._sweep_seconds = max(1, settings.visibility_timeout_seconds // 18)
        self._next_sweep = 0.0
        self._answered = 0
        self._may_hold = True
        """Whether entries may be held that were not read in this round: at the start, and after an error."""
        self.is_stopping = False

    def stop(self) -> None:
        """Lets the request in hand end, and begins no other."""
        self.is_stopping = True
        self._limits.stop_within(self._soft_shutdown_seconds)

    def run(self) -> None:
        """Answers until told to stop, or until the process is worn out, over every absence of the server."""
        pause = FIRST_PAUSE_SECONDS
        while not self.is_stopping and not recycling.is_worn_out(self._answered):
            try:
                self._round()
                pause = FIRST_PAUSE_SECONDS
            except RedisError as error:
                self._may_hold = True
                logger.warning(
                    "the stream of requests cannot be served, trying again in %.1f s: %s",
                    pause,
                    error,
                    extra={"action": "serve_stream"},
                )
                self._sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        self._leave()

    def _round(self) -> None:
        if self._may_hold:
            self._inbox.prepare()
        self._beat.give()
        self._outbox.flush()
        if self._may_hold:
            self._answer_what_is_held()
            self._may_hold = False
        elif time.monotonic() >= self._next_sweep:
            self._may_hold = self._inbox.take_over()
            # Where there was something, there may be more.
            self._next_sweep = time.monotonic() + (0 if self._may_hold else self._sweep_seconds)
        else:
            self._answer_new(self._inbox.new())

    def _answer_new(self, entries: Sequence[RequestEntry]) -> None:
        for place, entry in enumerate(entries):
            if self.is_stopping or not self._answer(entry):
                break
            self._beat.give()
            if self._outbox.is_due():
                self._outbox.flush()
                self._inbox.keep([each.entry_id for each in entries[place + 1 :]])
        self._outbox.flush()

    def _answer_what_is_held(self) -> None:
        while held := self._inbox.held():
            for each in held:
                if self.is_stopping:
                    return
                self._answer_again(each)
                # At once: what is settled is not blamed for what the next one does.
                self._outbox.flush()
                self._beat.give()

    def _answer_again(self, held: Held) -> None:
        is_given_up = held.deliveries >= self._max_deliveries
        find = self._inbox.look_at if is_given_up else self._inbox.deliver_again
        if (entry := find(held.entry_id)) is None:
            self._inbox.drop(held.entry_id)
        elif is_given_up:
            self._take(entry, self._given_up(entry, "workers_lost", WorkerLostError()))
        else:
            self._answer(entry)

    def _answer(self, entry: RequestEntry) -> bool:
        """Whether the entry was answered; it was not if the process was told to stop meanwhile."""
        try:
            with self._answering.noted.continued(entry.carried):
                answer = self._limits.bound(lambda: self._answer_to(entry))
        except OutOfTimeError:
            answer = self._given_up(entry, FAILED, SoftTimeLimitExceeded())
        except InterruptedByStopError:
            return False
        self._take(entry, answer)
        return True

    def _answer_to(self, entry: RequestEntry) -> Encoded:
        try:
            value = entry.request()
        except ForgedEntryError as error:
            self._set_aside(entry, "signature", error.message, [])
            return self._answering.refused(entry.entry_id, error)
        except InvalidRequestError as error:
            return self._answering.refused(entry.request_id(), error)
        return self._answering.answered(value, entry.entry_id)

    def _given_up(self, entry: RequestEntry, reason: str, cause: BaseException) -> Encoded:
        """The error that answers an entry which cannot be answered otherwise; it is set aside."""
        request_id, error = entry.request_id(), failure(cause)
        self._set_aside(entry, reason, error.message, [request_id])
        return self._answering.refused(request_id, error)

    def _set_aside(self, entry: RequestEntry, reason: str, detail: str, request_ids: Sequence[str]) -> None:
        self._answering.dead.write(reason, detail, STREAM, entry.text, request_ids)
        about = {"action": "dead_letter", "entry_id": entry.entry_id}
        logger.warning("set aside an entry of the stream: %s: %s", reason, detail, extra=about)

    def _take(self, entry: RequestEntry, answer: Encoded) -> None:
        self._answered += 1
        self._outbox.add(Settlement(entry_id=entry.entry_id, answer=answer))

    def _leave(self) -> None:
        """Publishes what is answered, and hands the rest to whoever comes first."""
        try:
            self._outbox.flush()
            self._inbox.hand_back()
            if self.is_stopping:
                self._beat.end()
        except RedisError as error:
            # Nothing is lost by it: what is held is taken over after the visibility timeout.
            logger.warning("the stream of requests was left in haste: %s", error, extra={"action": "leave_stream"})

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.is_stopping and time.monotonic() < until:
            time.sleep(SLEEP_SECONDS)
