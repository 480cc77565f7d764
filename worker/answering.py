"""From a request, or the arguments of a task, to answers, whatever they are."""

import gc
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from redis.exceptions import RedisError

from checkpoints.sources import NO_SOURCES, Sources
from schemas.errors import InvalidRequestError, UnavailableError, WeighbridgeError
from schemas.recommendation import ErrorAnswer

from .app import ROUTES, SIZE, SIZE_MANY
from .channel import Encoded, Publisher
from .delivery.dead import FAILED, DeadLetters, FailedTask
from .identity import id_in_list, ids_of, reply_to_of, request_id_of
from .telemetry.answers import ONLY_LOGGED, AnswersNoted

if TYPE_CHECKING:
    from rules.in_force import RulesInForce

logger = logging.getLogger(__name__)

EXPECTED = {SIZE: "request", SIZE_MANY: "requests"}
"""The keyword argument each task needs."""
OPTIONAL = {SIZE: frozenset[str](), SIZE_MANY: frozenset({"reply_to"})}
"""Those it may have beside."""

WARM_UP_REQUEST = {"model": {"num_parameters": 8_000_000_000}, "weight_format": "bf16", "alternatives": 0}
"""Small, and through the whole path: catalogue, rules and encoding."""


class UnpublishedError(Exception):
    """The answers are there and the server did not take them: the message is to be delivered again."""


@dataclass(frozen=True, kw_only=True)
class Answering:
    """What both intakes do, free of the machinery of either."""

    publisher: Publisher
    dead: DeadLetters
    max_list_items: int
    soft_time_limit_seconds: float
    sources: Sources = NO_SOURCES
    """What models may be read from."""
    rules_home: Path | None = None
    """Where the rules in force are noted; None for those that come with the project."""
    noted: AnswersNoted = ONLY_LOGGED
    """What is noted of answers to requests; health checks are none."""

    def size(self, task_id: str, positional: Sequence[object], named: Mapping[str, object]) -> None:
        """Answers the one request of a task.

        Raises: UnpublishedError; SoftTimeLimitExceeded.
        """
        if wrong := _wrong_arguments(SIZE, positional, named):
            self._refuse(task_id, named, wrong)
        else:
            self._publish([self.answered(named["request"], task_id)])

    def size_many(self, task_id: str, positional: Sequence[object], named: Mapping[str, object]) -> None:
        """Answers each request of a task's list.

        Raises: UnpublishedError; SoftTimeLimitExceeded, with what was answered until then published.
        """
        wrong = _wrong_arguments(SIZE_MANY, positional, named)
        requests = named.get("requests")
        if wrong := wrong or self._wrong_list(requests):
            self._refuse(task_id, named, wrong)
            return
        answers: list[Encoded] = []
        deadline = time.monotonic() + self.soft_time_limit_seconds
        try:
            for index, request in enumerate(requests if isinstance(requests, list) else []):
                # Looked at between two requests too: the one at work may have taken Celery's signal for its
                # own fault.
                if time.monotonic() >= deadline:
                    raise SoftTimeLimitExceeded
                answers.append(self.answered(request, id_in_list(task_id, index)))
        finally:
            # Also when time is up: what was answered by then must not be answered with an error.
            self._publish(answers, reply_to_of(named))

    def fail(
        self,
        task: str,
        task_id: str,
        positional: Sequence[object],
        named: Mapping[str, object],
        reason: BaseException | None,
    ) -> None:
        """Answers whatever of a failed task is still unanswered with an error, and sets it aside if anything was.

        Raises: UnpublishedError; redis.RedisError.
        """
        # An argument named like one of Celery's own fails before the task can look at it.
        if wrong := _wrong_arguments(task, positional, named):
            self._refuse(task_id, named, wrong)
            return
        error = failure(reason)
        # A task may be told to have failed twice: out of time, and then of its process, which was killed for that.
        if told := self._refuse(task_id, named, error):
            failed = FailedTask(task=task, task_id=task_id, named=named)
            self.dead.write(FAILED, error.message, ROUTES[task], failed.encode(), told)

    def expire(self, task_id: str, named: Mapping[str, object]) -> None:
        """Answers for a message that expired while it waited.

        Raises: UnpublishedError.
        """
        error = UnavailableError(
            "the message expired before a worker took it", hint="send it without an expiry date, or with a later one"
        )
        self._refuse(task_id, named, error)

    def heartbeat(self, named: Mapping[str, object]) -> None:
        """Replies to a health check, and to nobody else, with the answer to a small request."""
        reply_to = request_id_of(named, fallback="")
        if reply_to:
            self.publisher.hand(reply_to, [self._answered(WARM_UP_REQUEST, reply_to)])

    def warm_up(self) -> None:
        """Builds catalogue and rules in this process, so that the first request does not wait for them."""
        self._answered(WARM_UP_REQUEST, "warm-up")
        # What is there now stays: looking through it for garbage again and again would take a tenth of all time.
        gc.collect()
        gc.freeze()

    def answered(self, value: object, fallback: str) -> Encoded:
        """The answer to one request, decoded JSON of any shape; ``fallback`` is its id where it gives none.

        Raises: SoftTimeLimitExceeded.
        """
        return self._answered(value, fallback, self.noted)

    def refused(self, request_id: str, error: WeighbridgeError) -> Encoded:
        """The error as the answer to ``request_id``."""
        from rules import recommend  # noqa: PLC0415 - as in _answered

        answer = ErrorAnswer.of(request_id, error)
        self.noted.refused(answer)
        return Encoded(request_id=request_id, body=recommend.encode(answer))

    def _answered(self, value: object, fallback: str, noted: AnswersNoted | None = None) -> Encoded:
        # Imported where a pool process first answers: the rule engine must be built after the fork, never before.
        from rules import recommend  # noqa: PLC0415

        began = time.perf_counter()
        try:
            answer = recommend.answer(
                value, request_id=fallback, by=_in_force(self.rules_home, self.sources).recommender()
            )
            recommended = time.perf_counter()
            encoded = Encoded(request_id=answer.request_id, body=recommend.encode(answer))
        except SoftTimeLimitExceeded:
            raise
        except Exception:
            request_id = request_id_of(value, fallback)
            logger.exception("the request could not be answered", extra={"action": "answer", "request_id": request_id})
            return self.refused(request_id, failure(None))
        if noted is not None:
            noted.answered(
                answer, recommend_seconds=recommended - began, encode_seconds=time.perf_counter() - recommended
            )
        return encoded

    def _refuse(self, task_id: str, named: Mapping[str, object], error: WeighbridgeError) -> list[str]:
        """Answers all requests of a task with ``error``; the ids of those that were not answered before."""
        refused = [self.refused(request_id, error) for request_id in ids_of(task_id, named)]
        return self._publish(refused, reply_to_of(named))

    def _publish(self, answers: Sequence[Encoded], reply_to: str | None = None) -> list[str]:
        """Publishes ``answers``, or hands them to who asked for that; the ids of those that were not published before.

        Raises: UnpublishedError.
        """
        began = time.perf_counter()
        try:
            new = self.publisher.deliver(answers, reply_to)
        except (RedisError, SoftTimeLimitExceeded) as error:
            # Time that is up while the server is away is no fault of the request.
            raise UnpublishedError(type(error).__name__) from error
        self.noted.published(repeated=len(answers) - len(new), seconds=time.perf_counter() - began)
        return new

    def _wrong_list(self, requests: object) -> WeighbridgeError | None:
        if not isinstance(requests, list) or not requests:
            return InvalidRequestError(
                "requests: expected a list with at least one request",
                field="requests",
                hint=f"send a list, or one request to {SIZE}",
            )
        if len(requests) > self.max_list_items:
            return InvalidRequestError(
                f"requests: {len(requests)} requests in one list, more than {self.max_list_items}",
                field="requests",
                hint=f"send lists of at most {self.max_list_items}",
            )
        return None


@cache
def _in_force(home: Path | None, sources: Sources) -> "RulesInForce":
    """The rules in force in this process."""
    from rules.in_force import RulesInForce  # noqa: PLC0415 - as in Answering

    return RulesInForce(home, sources)


def _wrong_arguments(task: str, positional: Sequence[object], named: Mapping[str, object]) -> WeighbridgeError | None:
    expected = EXPECTED[task]
    extra = sorted(named.keys() - {expected} - OPTIONAL[task])
    also = "".join(f", and {name} if need be" for name in sorted(OPTIONAL[task]))
    hint = f"send the keyword argument {expected}{also}, nothing else"
    if positional:
        return InvalidRequestError(f"{task} takes no positional arguments", hint=hint)
    if expected not in named:
        return InvalidRequestError(f"{task} needs the keyword argument {expected}", field=expected, hint=hint)
    if extra:
        return InvalidRequestError(f"{task} takes no argument {extra[0]!r}", field=extra[0], hint=hint)
    if named.get("reply_to") is not None and reply_to_of(named) is None:
        return InvalidRequestError(
            f"reply_to: {named['reply_to']!r:.60} names no reply list",
            field="reply_to",
            hint="use a string of 1 to 128 printable ASCII characters",
        )
    return None


def failure(reason: BaseException | None) -> WeighbridgeError:
    """What is told of a request that could not be answered because of ``reason``."""
    if isinstance(reason, SoftTimeLimitExceeded | TimeLimitExceeded):
        return WeighbridgeError("the request took too long", hint="ask for fewer alternatives, or send shorter lists")
    if isinstance(reason, WorkerLostError):
        return WeighbridgeError("the request ended the process that computed it, each time it was tried")
    return WeighbridgeError("the request could not be answered; the worker's log says why")
