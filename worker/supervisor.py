"""What ``weighbridge worker`` runs: a worker and, when none is configured, a server, both kept alive."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .health import heartbeat, stream_is_read
from .kept_alive import KeptAlive
from .keys import Keys
from .lanes import lanes
from .process import WorkerProcess
from .server import Say, Server, announced_server
from .settings import Settings
from .stream.process import StreamProcess
from .telemetry.observed import observed
from .wiring import Wiring

POLL_SECONDS = 0.2
READY_SECONDS = 60.0


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
    workers = [WorkerProcess(lane, server.url) for lane in lanes(settings)]
    streams = [StreamProcess(lanes(settings)[0], server.url, number + 1) for number in range(settings.stream_processes)]
    answered = threading.Event()
    with _ended(*workers, *streams):
        children = [KeptAlive(worker.start(), "the worker", say) for worker in workers]
        threading.Thread(target=_greet, args=(settings, server.url, say, answered), daemon=True).start()
        threading.Thread(target=Wiring(settings, server.url).upkeep.run, args=(stop,), daemon=True).start()
        while not stop.wait(POLL_SECONDS):
            if server.embedded is not None and not server.embedded.is_running():
                say("the embedded server ended; starting it again")
                server.embedded.start()
            # The worker puts a site's rules in force; before it has, those of its last run are still noted.
            if len(children) == len(workers) and (settings.rules_path is None or answered.is_set()):
                name = "a process on the stream"
                children += (KeptAlive(stream.start(), name, say, makes_room=True) for stream in streams)
            for child in children:
                child.look()
        say("stopping: what runs is finished or handed back to the queue", "stop")


@contextmanager
def _ended(*processes: WorkerProcess) -> Iterator[None]:
    """Ends all of them after the block: told at once, then waited for."""
    try:
        yield
    finally:
        for process in processes:
            process.begin_to_stop()
        for process in processes:
            process.stop()


def _greet(settings: Settings, url: str, say: Say, answered: threading.Event) -> None:
    answers = [heartbeat(lane, url, timeout=READY_SECONDS) for lane in lanes(settings)]
    answered.set()
    if (answer := answers[0]) is None or None in answers:
        say(f"the worker did not answer within {READY_SECONDS:.0f} s; it goes on trying to reach the server")
        return
    if not stream_is_read(settings, url, timeout=READY_SECONDS):
        say(f"the stream of requests was not read within {READY_SECONDS:.0f} s")
        return
    versions = answer.versions
    queues = "; ".join(f"{lane.concurrency} processes serve {', '.join(lane.queues)}" for lane in lanes(settings))
    stream = f"; {settings.stream_processes} the stream {Keys(prefix=settings.key_prefix).requests}"
    say(
        f"ready: {queues}{stream if settings.stream_processes else ''} "
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
