"""A model hub on this machine: what huggingface_hub asks of one, and a list of what it asked."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(kw_only=True)
class Hub:
    """Repositories by name, each a folder, and how the hub behaves."""

    repositories: dict[str, Path]
    gated: frozenset[str] = frozenset()
    """Repositories that ask for a token."""
    status: int = 0
    """What is answered to everything, if not 0."""
    sends_whole_files: bool = False
    """Whether ranges are not looked at."""
    url: str = ""
    sent: dict[str, int] = field(default_factory=dict)
    """Bytes of each file that were sent."""
    tokens: set[str] = field(default_factory=set)


class _Server(ThreadingHTTPServer):
    """A server of one self.server.hub."""

    hub: Hub


class _Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    info = re.compile(r"/api/models/(?P<repo>[^/]+/[^/?]+)(/revision/(?P<revision>[^/?]+))?(\?.*)?")
    file = re.compile(r"/(?P<repo>[^/]+/[^/]+)/resolve/(?P<revision>[^/]+)/(?P<name>[^?]+)")

    def do_GET(self) -> None:
        asked = self.info.fullmatch(self.path) or self.file.fullmatch(self.path)
        assert asked, self.path
        token = self.headers.get("Authorization", "")
        self.server.hub.tokens.add(token)
        repo, revision = asked["repo"], asked["revision"] or "main"
        if self.server.hub.status:
            self.refuse(self.server.hub.status)
        elif repo not in self.server.hub.repositories:
            self.refuse(404, "RepoNotFound")
        elif repo in self.server.hub.gated and not token:
            self.refuse(403, "GatedRepo")
        elif revision not in ("main", "v1", COMMIT):
            self.refuse(404, "RevisionNotFound")
        elif "name" in asked.groupdict():
            self.send_file(self.server.hub.repositories[repo] / asked["name"])
        else:
            self.send_info(repo, self.server.hub.repositories[repo])

    def refuse(self, status: int, code: str = "") -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_info(self, repo: str, folder: Path) -> None:
        files = [{"rfilename": path.name, "size": path.stat().st_size} for path in sorted(folder.iterdir())]
        text = json.dumps({"id": repo, "modelId": repo, "sha": COMMIT, "siblings": files, "tags": []}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def send_file(self, path: Path) -> None:
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        first, last = (int(asked[1]), min(int(asked[2]), size - 1)) if asked else (0, size - 1)
        if self.server.hub.sends_whole_files or not asked:
            first, last = 0, size - 1
        self.send_response(200 if (first, last) == (0, size - 1) else 206)
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        with path.open("rb") as file:
            file.seek(first)
            left = last - first + 1
            try:
                while left > 0:
                    text = file.read(min(left, 2**16))
                    self.server.hub.sent[path.name] = self.server.hub.sent.get(path.name, 0) + len(text)
                    self.wfile.write(text)
                    left -= len(text)
            except OSError:
                # Whoever asked has heard enough.
                self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has in the library
        """Says nothing: pytest would show it."""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """The ``hub``, answering on a free port during the block."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.hub = hub
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
