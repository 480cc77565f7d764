"""``weighbridge worker``: answers what comes on the queues and on the stream of requests."""

import sys
import time
from typing import NoReturn

import click

from schemas.errors import UnavailableError

from .queue_access import errors_told, read_settings
from .saying import begin_log

CHECK_SECONDS = 10.0


@click.command("worker")
@click.option("--concurrency", type=click.IntRange(1, 1024), help="Processes that answer; default: one a core.")
@click.option(
    "--check",
    is_flag=True,
    help="Send a request through the running worker: exit status 0 if it works.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=CHECK_SECONDS,
    show_default=True,
    help="Seconds for --check.",
)
def worker(concurrency: int | None, timeout: float, *, check: bool) -> None:
    """Answer sizing requests from the queues and the stream until told to stop.

    WEIGHBRIDGE_REDIS_URL says where the queue is; without it a server is started on this machine.
    """
    settings = read_settings()
    if concurrency is not None:
        settings = settings.model_copy(update={"concurrency": concurrency})
    if check:
        _check(timeout)
        return
    from worker.supervisor import supervise

    say = begin_log(settings)
    with errors_told(lambda line: say(line, "start")):
        sys.exit(supervise(settings, say))


def _check(timeout: float) -> None:
    from worker.embedded import address
    from worker.health import heartbeat, stream_is_read
    from worker.lanes import lanes

    settings = read_settings()
    deadline = time.monotonic() + timeout
    try:
        url = address(settings)
    except UnavailableError:
        _unwell(f"worker {settings.worker_name} does not answer")
    for lane in lanes(settings):
        if heartbeat(lane, url, timeout=deadline - time.monotonic()) is None:
            _unwell(f"worker {lane.worker_name} does not answer")
    if not stream_is_read(settings, url, timeout=max(0.0, deadline - time.monotonic())):
        _unwell(f"worker {settings.worker_name} does not read the stream of requests")
    click.echo(f"worker {settings.worker_name} answers")


def _unwell(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(1)
