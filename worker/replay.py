"""Dead letters sent again, once what made them fail is mended."""

from dataclasses import dataclass
from typing import Any

from celery import Celery

from schemas.errors import InvalidRequestError
from schemas.recommendation import ANSWER, ErrorAnswer

from .app import TASKS, create_app
from .delivery.dead import FAILED, STREAM, DeadLetter, FailedTask
from .delivery.envelope import Envelope, MalformedMessageError, arguments, read
from .reader import Reader
from .wiring import Wiring


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Sends letters again by the way they came."""

    wiring: Wiring

    def replay(self, letter_id: str) -> DeadLetter:
        """The letter that was sent again and is none any more.

        Its requests are answered anew: the errors they were answered with because of it are forgotten first.

        Raises: InvalidRequestError when there is no such letter or its message can still not be read; QueueFullError;
        redis.RedisError.
        """
        letter = self.wiring.dead.get(letter_id)
        if not letter.is_whole:
            raise InvalidRequestError(
                f"{letter_id} cannot be sent again: only {len(letter.message)} of its {letter.length} bytes are kept",
                hint="`weighbridge dead drop` forgets it",
            )
        if letter.source == STREAM:
            self._forget_errors(letter)
            fields: dict[Any, Any] = {"request": letter.message}
            if (signer := self.wiring.signer) is not None:
                fields["signature"] = signer.of_request(letter.message)
            self.wiring.raw.xadd(self.wiring.keys.requests, fields)
        else:
            positional, task = self._task(letter)
            self._forget_errors(letter)
            self._send(task, positional, letter.source)
        self.wiring.dead.drop(letter_id)
        return letter

    def _task(self, letter: DeadLetter) -> tuple[list[object], FailedTask]:
        if letter.reason == FAILED:
            return [], FailedTask.decode(letter.message)
        try:
            envelope = self._envelope(letter)
            positional, named, _ = arguments(envelope)
        except MalformedMessageError as error:
            raise InvalidRequestError(
                f"{letter.letter_id} cannot be sent again: {error.detail}", hint="`weighbridge dead drop` forgets it"
            ) from None
        return positional, FailedTask(task=envelope.headers.task, task_id=envelope.headers.id, named=named)

    def _envelope(self, letter: DeadLetter) -> Envelope:
        longest = self.wiring.settings.max_message_bytes
        try:
            return read(letter.message, letter.source, TASKS, max_message_bytes=longest)
        except MalformedMessageError as error:
            # What is sent is a new message of the same task: delays, and how often it was delivered, are left behind.
            if error.envelope is None or error.reason not in {"delayed", "workers_lost"}:
                raise
            return error.envelope

    def _send(self, task: FailedTask, positional: list[object], queue: str) -> None:
        app: Celery = create_app(self.wiring.settings, self.wiring.url)
        try:
            app.send_task(task.task, positional, dict(task.named), task_id=task.task_id, queue=queue)
        finally:
            app.close()

    def _forget_errors(self, letter: DeadLetter) -> None:
        reader = Reader(redis=self.wiring.redis, keys=self.wiring.keys)
        for request_id, body in reader.answered(letter.request_ids).items():
            if isinstance(ANSWER.validate_json(body), ErrorAnswer):
                self.wiring.redis.delete(self.wiring.keys.done(request_id), self.wiring.keys.reply(request_id))
