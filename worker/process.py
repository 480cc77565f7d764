"""One Celery worker: run in this process, or as a child that can be asked to stop."""

import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, ClassVar, Self

from . import child
from .settings import Settings
from .site_rules import watch_rules
from .telemetry.log_lines import leave_celery_out

if TYPE_CHECKING:
    from celery import Celery

END_MARGIN_SECONDS = 10.0
"""What a worker gets beyond its soft shutdown to hand its messages back."""


def serve(settings: Settings, url: str) -> int:
    """Answers requests from the queue at ``url`` until told to stop; the exit status."""
    from celery.platforms import SecurityWarning  # noqa: PLC0415

    from . import plain_json, tasks  # noqa: PLC0415 - they import Celery
    from .app import create_app, health_queue  # noqa: PLC0415
    from .wiring import Wiring  # noqa: PLC0415

    # Celery warns of running as root because a pickled message could run code; none is accepted.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser", category=SecurityWarning)
    os.nice(settings.niceness)
    leave_celery_out(settings.log_format)
    plain_json.register()
    wiring = Wiring(settings, url)
    app = create_app(settings, url, wiring.refusals)
    answering = wiring.answering
    if settings.rules_path is not None:
        watch_rules(settings.rules_path, settings.rules_home, threading.Event())
    tasks.register(app, answering)
    _end_in_bounded_time(settings.soft_shutdown_seconds)
    own = health_queue(settings.worker_name)
    app.amqp.queues.add(own)
    return work(app, settings, [*settings.queues, own.name])


def work(app: "Celery", settings: Settings, queues: Sequence[str]) -> int:
    """Runs a worker of ``app`` on ``queues`` until it is told to stop; the exit status."""
    worker = app.Worker(
        hostname=f"weighbridge@{settings.worker_name}",
        pool_cls="prefork",  # the only pool that enforces time limits
        concurrency=settings.concurrency,
        queues=list(queues),
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


def _end_in_bounded_time(seconds: float) -> None:
    """Lets SIGTERM wait for running tasks, and after ``seconds`` hands back what still runs to the queue.

    Celery's own soft shutdown sleeps its whole time even when the tasks end sooner.
    """
    from celery import signals  # noqa: PLC0415 - as in serve

    def stopping(how: str, **_: object) -> None:
        if how == "Warm":
            escalation = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGQUIT))
            escalation.daemon = True
            escalation.start()

    signals.worker_shutting_down.connect(stopping, weak=False)


class WorkerProcess:
    """A worker as a child process; it ends with this one."""

    # -P: a folder named worker where the command is given must not be taken for ours.
    command: ClassVar[Sequence[str]] = (sys.executable, "-P", "-m", "worker")

    def __init__(self, settings: Settings, url: str, *, log: IO[bytes] | None = None) -> None:
        self._settings = settings
        self._url = url
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process, which leads a session with its pool; 0 before it is started."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> Self:
        """Starts it, or starts it again."""
        self._process = child.start(
            self._command_line(),
            output=self._log,
            environment={**os.environ, **self._settings.environment(self._url)},
        )
        return self

    def _command_line(self) -> Sequence[str]:
        return self.command

    def exit_status(self) -> int | None:
        """How it ended; None while it runs."""
        return None if self._process is None else self._process.poll()

    def begin_to_stop(self) -> None:
        """Tells it to stop, and does not wait for it."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()

    def stop(self) -> None:
        """Lets running tasks end within the soft shutdown, hands the rest back to the queue, and ends it."""
        if self._process is not None:
            child.end(self._process, patience_seconds=self._settings.soft_shutdown_seconds + END_MARGIN_SECONDS)

    def kill(self) -> None:
        """Kills it and its pool at once, as a machine that fails would."""
        if self._process is not None:
            child.kill_session(self._process)


@contextmanager
def worker_process(settings: Settings, url: str, *, log: IO[bytes] | None = None) -> Iterator[WorkerProcess]:
    """A worker that runs during the block."""
    worker = WorkerProcess(settings, url, log=log).start()
    try:
        yield worker
    finally:
        worker.stop()
