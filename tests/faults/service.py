"""A whole service on a server of its own, whose parts can be killed, and are started again at once."""

import os
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from worker.embedded import Binary, EmbeddedServer
from worker.health import heartbeat
from worker.process import WorkerProcess
from worker.settings import Settings
from worker.wiring import Wiring

from ..integration.conftest import ScriptedStream, ScriptedWorker
from ..integration.test_killed import pool_of

READY_SECONDS = 60.0
LOOK_SECONDS = 0.1


class WorkerAhead(ScriptedWorker):
    """A worker on a machine whose clock is an hour ahead."""

    command: ClassVar[list[str]] = [*ScriptedWorker.command, "ahead", "3600"]


class Service:
    """Server, two workers, a process on the stream, and the upkeep that supervisors run."""

    def __init__(self, program: Binary, folder: Path, log: Path) -> None:
        self.server = EmbeddedServer(program, folder / "server").start()
        self.settings = Settings(
            home=folder,
            key_prefix=f"faults-{secrets.token_hex(4)}:",
            worker_name="first",
            concurrency=1,
            prefetch=2,
            soft_time_limit_seconds=4,
            hard_time_limit_seconds=6,
            soft_shutdown_seconds=2,
            visibility_timeout_seconds=15,
            # Kills here are no fault of the requests: an unlucky one may well be held by several.
            max_deliveries=20,
            retry_after_seconds=1,
        )
        self.wiring = Wiring(self.settings, self.server.url)
        self._log = log.open("wb")
        second = self.settings.model_copy(update={"worker_name": "second"})
        self.workers: list[WorkerProcess] = [
            ScriptedWorker(self.settings, self.server.url, log=self._log),
            WorkerAhead(second, self.server.url, log=self._log),
        ]
        self.stream = ScriptedStream(self.settings, self.server.url, 1, log=self._log)
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._keep_alive),
            threading.Thread(target=Wiring(self.settings, self.server.url).upkeep.run, args=(self._stop,)),
        ]
        self._server_lock = threading.Lock()

    @property
    def parts(self) -> list[WorkerProcess]:
        """All that answer."""
        return [*self.workers, self.stream]

    def start(self) -> None:
        """Starts all and waits until both workers answer."""
        for part in self.parts:
            part.start()
        for thread in self._threads:
            thread.start()
        for name in ("first", "second"):
            own = self.settings.model_copy(update={"worker_name": name})
            assert heartbeat(own, self.server.url, timeout=READY_SECONDS) is not None

    def stop(self) -> None:
        """Ends all that was started."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for part in self.parts:
            part.stop()
        self.wiring.close()
        self.server.stop()
        self._log.close()

    def kill_worker(self, number: int) -> None:
        """As a machine that fails: main process and pool at once."""
        self.workers[number].kill()

    def kill_child(self, number: int) -> None:
        """As the kernel does to a process that takes too much memory."""
        for pid in pool_of(self.workers[number].pid):
            os.kill(pid, signal.SIGKILL)

    def kill_stream(self) -> None:
        """The same for the process on the stream."""
        self.stream.kill()

    def kill_server(self) -> None:
        """The server goes without a word, and comes back with what is in its log of appended commands."""
        with self._server_lock:
            os.kill(self.server.pid, signal.SIGKILL)
            self._await_end()
            self.server.start()

    def restart_server(self) -> None:
        """The server is stopped in order, and is away for a while."""
        with self._server_lock:
            self.server.stop()
            time.sleep(1)
            self.server.start()

    def freeze_server(self, seconds: float) -> None:
        """The server takes connections and answers nothing."""
        os.kill(self.server.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(self.server.pid, signal.SIGCONT)

    def fill_memory(self, seconds: float) -> None:
        """The server has no room for anything."""
        self.wiring.redis.config_set("maxmemory", "1mb")
        time.sleep(seconds)
        self.wiring.redis.config_set("maxmemory", "1gb")

    def _await_end(self) -> None:
        while self.server.is_running():
            time.sleep(0.01)

    def _keep_alive(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            for part in self.parts:
                if part.exit_status() is not None:
                    part.start()


@contextmanager
def service(program: Binary, folder: Path) -> Iterator[Service]:
    """A service that runs during the block."""
    log = folder / "workers.log"
    made = Service(program, folder, log)
    try:
        made.start()
        yield made
    finally:
        made.stop()
