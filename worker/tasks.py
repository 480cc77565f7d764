"""The tasks: each hands its arguments to what answers them, and settles what becomes of the message."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from celery import Celery, Task, signals
from celery.exceptions import Reject
from redis.exceptions import RedisError

from .answering import EXPECTED, Answering
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
        args: object,
        kwargs: object,
        exception: BaseException,
        **_: Any,  # noqa: ANN401
    ) -> None:
        if sender.name in EXPECTED:
            positional = args if isinstance(args, list | tuple) else ()
            named = kwargs if isinstance(kwargs, Mapping) else {}
            answering.fail(sender.name, task_id, positional, named, exception)

    def started(**_: Any) -> None:  # noqa: ANN401 - what Celery sends along is of no use here
        answering.noted.start()
        answering.warm_up()

    def ended(**_: Any) -> None:  # noqa: ANN401 - as above
        answering.noted.close()

    signals.task_failure.connect(failed, weak=False)
    signals.worker_process_init.connect(started, weak=False)
    signals.worker_process_shutdown.connect(ended, weak=False)


def _or_give_back(answer: Callable[[], None]) -> None:
    try:
        answer()
    except RedisError as error:
        # An answer that cannot be published is no failure of the request: the message goes back to the queue.
        logger.warning("giving a message back: %s", type(error).__name__, extra={"action": "give_back"})
        raise Reject(error, requeue=True) from error
