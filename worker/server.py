"""The server to work with: the configured one, or else the embedded one, and what is said of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from .connection import masked
from .embedded import EmbeddedServer, embedded_server
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
