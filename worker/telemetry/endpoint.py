"""Where a worker is looked at over HTTP: metrics and two probes."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from schemas.errors import InvalidSettingError

TEXT = "text/plain; charset=utf-8"
SOCKET_SECONDS = 10.0
"""Whoever sends nothing for so long is hung up on."""

_log = logging.getLogger(__name__)


class Reply(NamedTuple):
    """An answer over HTTP."""

    status: int
    content_type: str
    body: bytes


Page = Callable[[str], Reply]
"""Given what the caller accepts."""


def metrics_page(registry: CollectorRegistry) -> Page:
    """What is counted, in the format that the caller prefers."""

    def page(accept: str) -> Reply:
        encode, content_type = choose_encoder(accept)
        return Reply(200, content_type, encode(registry))

    return page


def probe_page(fault: Callable[[], str | None]) -> Page:
    """200 where ``fault`` finds none, else 503 with what it found."""

    def page(_: str) -> Reply:
        found = fault()
        return Reply(503 if found else 200, TEXT, f"{found or 'ok'}\n".encode())

    return page


@contextmanager
def serving(host: str, port: int, pages: dict[str, Page]) -> Iterator[str]:
    """Serves ``pages`` by their paths during the block; the address it is served at.

    Raises: InvalidSettingError when the port cannot be had.
    """
    try:
        server = _Server((host, port), _handler(pages))
    except OSError as error:
        raise InvalidSettingError(
            f"WEIGHBRIDGE_METRICS_PORT: {host}:{port} cannot be had: {error.strerror or error}",
            field="WEIGHBRIDGE_METRICS_PORT",
            hint="choose another port, or 0 for any that is free",
        ) from None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="metrics", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is no fault of ours; by default its traceback is printed."""
        del request
        _log.debug("a caller at %s was not served", client_address, exc_info=True)


def _handler(pages: dict[str, Page]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = SOCKET_SECONDS

        def do_GET(self) -> None:
            """A page, and whatever goes wrong with it as a 500."""
            page = pages.get(self.path.partition("?")[0])
            if page is None:
                self._send(Reply(404, TEXT, f"there are {', '.join(pages)}\n".encode()))
                return
            try:
                reply = page(self.headers.get("Accept", ""))
            except Exception:  # noqa: BLE001 - the next look may go well, and the worker goes on
                _log.warning("%s could not be served", self.path, exc_info=True, extra={"action": "report"})
                reply = Reply(500, TEXT, b"see the log\n")
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def version_string(self) -> str:
            """Nothing of the interpreter for callers to know."""
            return "weighbridge"

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its own name for it
            """At DEBUG: probes come every few seconds."""
            _log.debug(format, *arguments)

    return Handler
