"""What ``weighbridge worker`` runs: a worker and, when none is configured, a server, both kept alive."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .health import heartbeat
from .process import worker_process
from .server import Say, Server, announced_server
from .settings import Settings
from .telemetry.observed import observed

POLL_SECONDS = 0.2
READY_SECONDS = 60.0
LONGEST_PAUSE_SECONDS = 30.0


def supervise(settings: Settings, say: Say) -> int:
    """Serves until SIGTERM or SIGINT, then ends everything it started; the exit status."""
    with (
        _stop_signals() as stop,
        announced_server(settings, say) as server,
        observed(settings, server.url) as address,
    ):
        if address is not None:
            say(f"metrics: {address}/metrics; probes: /healthz, /readyz", "start")
        _keep_working(settings, server, stop, say)
    return 0


def _keep_working(settings: Settings, server: Server, stop: threading.Event, say: Say) -> None:
    pause = 1.0
    with worker_process(settings, server.url) as worker:
        greeter = threading.Thread(target=_greet, args=(settings, server.url, say), daemon=True)
        greeter.start()
        while not stop.wait(POLL_SECONDS):
            if server.embedded is not None and not server.embedded.is_running():
                say("the embedded server ended; starting it again")
                server.embedded.start()
            if (status := worker.exit_status()) is not None:
                say(f"the worker ended with status {status}; starting it again in {pause:.0f} s")
                if stop.wait(pause):
                    return
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
                worker.start()
        say("stopping: what runs is finished or handed back to the queue", "stop")


def _greet(settings: Settings, url: str, say: Say) -> None:
    answer = heartbeat(settings, url, timeout=READY_SECONDS)
    if answer is None:
        say(f"the worker did not answer within {READY_SECONDS:.0f} s; it goes on trying to reach the server")
        return
    versions = answer.versions
    say(
        f"ready: {settings.concurrency} processes serve {', '.join(settings.queues)} "
        f"(weighbridge {versions.weighbridge}, rules {versions.rules}, catalogue {versions.catalog})",
        "ready",
    )


@contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set while the block runs."""
    stop = threading.Event()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
