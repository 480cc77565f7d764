"""The real front door as a process, over real TLS with an authority of the test's own."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

import trustme

from .conftest import assert_gone
from .polling import eventually

READY_SECONDS = 60.0
HOST = "localhost"
SCRIPTED = (sys.executable, "-m", "tests.integration.scripted_front_door")
COMMAND = (sys.executable, "-c", "from cli.main import main; main()", "serve")


@dataclass
class FrontDoor:
    """Where it is, and whom to trust."""

    port: int
    authority: trustme.CA
    certificate: Path
    key: Path
    trust: ssl.SSLContext
    log: Path

    def connect(self) -> HTTPSConnection:
        """A connection of its own, which verifies who answers."""
        return HTTPSConnection(HOST, self.port, context=self.trust, timeout=20)

    def call(self, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body of the answer to one call."""
        with closing(self.connect()) as connection:
            connection.request("GET" if body is None else "POST", path, body)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def renew(self) -> int:
        """Writes another certificate and its key, one after the other; its serial number."""
        issued = self.authority.issue_cert(HOST)
        self.certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
        self.key.write_bytes(issued.private_key_pem.bytes())
        decoded = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
        return hash(decoded)

    def serves(self) -> int:
        """Which certificate a new connection is shown."""
        with (
            socket.create_connection((HOST, self.port), timeout=20) as plain,
            self.trust.wrap_socket(plain, server_hostname=HOST) as wrapped,
        ):
            return hash(wrapped.getpeercert(binary_form=True))

    def is_ready(self) -> bool:
        """Whether it answers that it is."""
        try:
            return self.call("/readyz")[0] == 200
        except (OSError, HTTPException):
            return False


@contextmanager
def front_door(folder: Path, command: Sequence[str] = SCRIPTED, **variables: str) -> Iterator[FrontDoor]:
    """A front door that runs during the block with those variables, and ends with all its processes."""
    authority = trustme.CA()
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    door = FrontDoor(
        port=_free_port(),
        authority=authority,
        certificate=folder / "tls.crt",
        key=folder / "tls.key",
        trust=trust,
        log=folder / "log",
    )
    door.renew()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIGHBRIDGE_")}
    environment = {
        **kept,
        "WEIGHBRIDGE_HOME": str(folder / "home"),
        "WEIGHBRIDGE_LOG_LEVEL": "INFO",
        "WEIGHBRIDGE_ADMISSION_PORT": str(door.port),
        "WEIGHBRIDGE_ADMISSION_TLS_CERT_FILE": str(door.certificate),
        "WEIGHBRIDGE_ADMISSION_TLS_KEY_FILE": str(door.key),
        **variables,
    }
    with door.log.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        assert eventually(door.is_ready, within=READY_SECONDS), door.log.read_text(encoding="utf-8")
        yield door
        process.terminate()
        assert process.wait(timeout=30) == 0, door.log.read_text(encoding="utf-8")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert_gone(process.pid)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
