"""The server to work with: the configured one, or else the embedded one, and what is said of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from schemas.errors import UnavailableError

from .connection import masked
from .embedded import EmbeddedServer, embedded_server, find_running
from .settings import Settings
from .telemetry.log_lines import Said


class Say(Protocol):
    """Tells whoever runs the command a line; ``action`` is the word for it in logs."""

    def __call__(self, line: str, action: Said = "serve", /) -> None:
        """Says ``line``."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the queue is."""

    url: str
    embedded: EmbeddedServer | None
    """The server we started, and have to keep running; None where somebody else runs it."""


def server_url(settings: Settings) -> str:
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


@contextmanager
def announced_server(settings: Settings, say: Say) -> Iterator[Server]:
    """The server of ``settings`` for the block, said aloud without its password.

    Raises: UnavailableError when none can be started.
    """
    if settings.url is not None:
        say(f"server: {masked(settings.url)}, from WEIGHBRIDGE_REDIS_URL", "start")
        yield Server(url=settings.url, embedded=None)
        return
    with embedded_server(settings) as server:
        if isinstance(server, EmbeddedServer):
            say(f"server: {masked(server.url)}, embedded: {server.binary}", "start")
            yield Server(url=server.url, embedded=server)
        else:
            say(f"server: {masked(server.url)}, embedded: {server.origin}, already running", "start")
            yield Server(url=server.url, embedded=None)
