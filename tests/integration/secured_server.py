"""A server as deploy/redis ships it: with users, TLS alone, and certificates of an authority of the test's own."""

import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - redis-py's own

from schemas.errors import UnavailableError
from worker import child
from worker.connection import connect
from worker.embedded import Binary, find_binary, free_port
from worker.settings import ServerChoice, Settings

from .polling import eventually

SHIPPED = Path(__file__).parents[2] / "deploy" / "redis"
HOST = "localhost"
USERS = ("worker", "producer", "reader", "operator")
ADMINISTRATOR = "administrator"
"""A user beside those that are shipped, who may do anything: to see what was refused to the others."""


@dataclass(frozen=True, kw_only=True)
class SecuredServer:
    """A server that runs, and how to reach it."""

    folder: Path
    port: int
    """Where it speaks TLS."""
    pid: int

    @property
    def ca_file(self) -> Path:
        """The authority that vouches for it."""
        return self.folder / "ca.pem"

    def password(self, user: str) -> str:
        """As it stands in the file that the server was started with."""
        return (self.folder / f"{user}_password").read_text(encoding="utf-8").strip()

    def settings(self, user: str, home: Path, **changes: object) -> Settings:
        """What an operator sets for a party that is ``user``."""
        given: dict[str, object] = {
            "redis_url": f"rediss://{user}@{HOST}:{self.port}/0",
            "redis_password": self.password(user) if user else None,
            "redis_ca_file": self.ca_file,
            "home": home,
            "worker_name": "secured",
            "concurrency": 1,
            "prefetch": 1,
            "soft_time_limit_seconds": 3,
            "hard_time_limit_seconds": 4,
            "soft_shutdown_seconds": 1,
            "visibility_timeout_seconds": 6,
        }
        return Settings.model_validate(given | changes)

    def url(self, user: str) -> str:
        """All in one address, for those who take nothing else."""
        shown = {"redis_cert_file": self.folder / "client.pem", "redis_key_file": self.folder / "client.key"}
        return str(self.settings(user, self.folder, **shown).url)

    @contextmanager
    def opened(self, user: str) -> Iterator[Redis]:
        """A plain connection of ``user``."""
        client = Redis.from_url(self.url(user), decode_responses=True, protocol=2, socket_timeout=5)
        try:
            yield client
        finally:
            client.close()


def binary(choice: ServerChoice) -> Binary:
    """The server program, or the test is skipped where there is none."""
    try:
        return find_binary(choice)
    except UnavailableError as error:
        pytest.skip(error.message)


@contextmanager
def secured_server(program: Binary, folder: Path, *options: str) -> Iterator[SecuredServer]:
    """A server started with what is shipped, for the block; ``options`` count before what is shipped."""
    authority = trustme.CA()
    issue(authority, folder, "server", HOST)
    issue(authority, folder, "client", "worker.example")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    shipped = shutil.copytree(SHIPPED, folder / "shipped")
    with (shipped / "users.acl").open("a", encoding="utf-8") as users:
        users.write(f"user {ADMINISTRATOR} on #{{{ADMINISTRATOR}}} ~* &* +@all\n")
    for user in (*USERS, ADMINISTRATOR):
        # As people's passwords are: with what an address would have to escape.
        (folder / f"{user}_password").write_text(f"p:/?#@%{secrets.token_urlsafe(24)}\n", encoding="utf-8")
    with ExitStack() as ended:
        log = ended.enter_context((folder / "server.log").open("wb"))
        port = free_port()
        if speaks_tls(program):
            given = {"cert": "server.pem", "key": "server.key", "ca-cert": "ca.pem"}
            listening = ["--tls-port", str(port)]
            for name, file in given.items():
                listening += [f"--tls-{name}-file", str(folder / file)]
        else:
            # Built without TLS: something before it speaks it in its place, as on many a cluster.
            behind = free_port()
            listening = ["--tls-port", "0", "--port", str(behind)]
            front = [sys.executable, "-m", "tests.integration.tls_front", str(port), str(behind), str(folder)]
            ended.callback(child.end, child.start(front, output=log), patience_seconds=5)
        process = child.start(
            [str(shipped / "start.sh"), str(program.path), *listening, "--dir", str(folder), *options],
            output=log,
            environment={"PATH": "/usr/bin:/bin", "PASSWORDS": str(folder), "ACL_FILE": str(folder / "users.acl")},
        )
        ended.callback(child.end, process, patience_seconds=10)
        server = SecuredServer(folder=folder, port=port, pid=process.pid)
        if not eventually(lambda: answers(server.url(ADMINISTRATOR)), within=15):
            pytest.fail((folder / "server.log").read_text(encoding="utf-8", errors="replace")[-2000:])
        yield server


def answers(url: str) -> bool:
    """Whether the server at ``url`` takes commands."""
    client = connect(url, patience=0)
    try:
        return bool(client.ping())
    except (ConnectionError, TimeoutError):
        return False
    finally:
        client.close()


def issue(authority: trustme.CA, folder: Path, name: str, host: str) -> None:
    """Writes a certificate for ``host`` and its key."""
    certificate = authority.issue_cert(host)
    chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
    (folder / f"{name}.pem").write_bytes(chain)
    (folder / f"{name}.key").write_bytes(certificate.private_key_pem.bytes())


def speaks_tls(program: Binary) -> bool:
    """Whether the program was built with TLS."""
    tried = subprocess.run(
        [program.path, "--tls-port", "1", "--port", "0"],  # it cannot start without a certificate, and says so
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    return "Failed to configure TLS" in tried.stdout + tried.stderr
