"""The tasks: each hands its arguments to what answers them, and settles what becomes of the message."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celery import Celery, Task, signals
from celery.app.task import Context
from celery.exceptions import Reject

from .answering import EXPECTED, Answering, UnpublishedError
from .app import HEARTBEAT, SIZE, SIZE_MANY

logger = logging.getLogger(__name__)


def register(app: Celery, answering: Answering) -> None:
    """Teaches ``app`` the tasks, what to do when one fails for good, and how a new pool process starts."""

    # They take any arguments: what does not suit is answered, where Celery would only log a TypeError.
    @app.task(name=SIZE, bind=True, typing=False)
    def size(task: Task, /, *positional: object, **named: object) -> None:
        with answering.noted.continued(task.request.headers):
            _or_give_back(lambda: answering.size(task.request.id, positional, named))

    @app.task(name=SIZE_MANY, bind=True, typing=False)
    def size_many(task: Task, /, *positional: object, **named: object) -> None:
        with answering.noted.continued(task.request.headers):
            _or_give_back(lambda: answering.size_many(task.request.id, positional, named))

    @app.task(name=HEARTBEAT, typing=False)
    def heartbeat(*_: object, **named: object) -> None:
        answering.heartbeat(named)

    # The signal, not Task.on_failure: that one is not called for a task whose process was lost.
    def failed(
        sender: Task,
        task_id: str,
        args: Sequence[object],
        kwargs: Mapping[str, object],
        exception: BaseException,
        **_: Any,  # noqa: ANN401
    ) -> None:
        if sender.name in EXPECTED:
            answering.fail(sender.name, task_id, args, kwargs, exception)

    # A message with an expiry date, which Celery would drop without a word.
    def revoked(sender: Task, request: Context, *, expired: bool, **_: Any) -> None:  # noqa: ANN401
        if expired and sender.name in EXPECTED:
            answering.expire(request.id, request.kwargs)

    def started(**_: Any) -> None:  # noqa: ANN401 - what Celery sends along is of no use here
        answering.noted.start()
        answering.warm_up()

    def ended(**_: Any) -> None:  # noqa: ANN401 - as above
        answering.noted.close()

    signals.task_failure.connect(failed, weak=False)
    signals.task_revoked.connect(revoked, weak=False)
    signals.worker_process_init.connect(started, weak=False)
    signals.worker_process_shutdown.connect(ended, weak=False)


def _or_give_back(answer: Callable[[], None]) -> None:
    try:
        answer()
    except UnpublishedError as error:
        # An answer that cannot be published is no failure of the request: the message goes back to the queue.
        logger.warning("giving a message back: %s", error, extra={"action": "give_back"})
        raise Reject(error, requeue=True) from error
