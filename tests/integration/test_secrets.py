"""Passwords and keys: in files and the environment, and nowhere else, at whatever log level."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from redis import Redis

from worker.embedded import EmbeddedServer, find_binary
from worker.health import heartbeat
from worker.settings import Settings

from .conftest import a_request
from .polling import eventually

KEY = "signing-key-not-to-be-told"
WRONG = "password-not-to-be-told"
WAIT_SECONDS = 40.0
FAR = "redis://:{password}@127.0.0.1:1/0"
"""A server that is away."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server with a password."""
    started = EmbeddedServer(find_binary("auto"), tmp_path_factory.mktemp("server")).start()
    yield started
    started.stop()


def environment(url: str, folder: Path) -> dict[str, str]:
    """What a command is told: the address in a file, the key in another."""
    (folder / "url").write_text(url, encoding="utf-8")
    (folder / "key").write_text(KEY, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIGHBRIDGE_")}
    return {
        **kept,
        "WEIGHBRIDGE_REDIS_URL_FILE": str(folder / "url"),
        "WEIGHBRIDGE_SIGNING_KEY_FILE": str(folder / "key"),
        "WEIGHBRIDGE_LOG_LEVEL": "DEBUG",
        "WEIGHBRIDGE_HOME": str(folder),
        "WEIGHBRIDGE_WORKER_NAME": "secretive",
        "WEIGHBRIDGE_CONCURRENCY": "1",
    }


def started(told: Mapping[str, str], output: Path) -> "subprocess.Popen[bytes]":
    """``weighbridge worker``."""
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "cli.main", "worker"], env=told, stdout=file, stderr=file, start_new_session=True
        )


def command_lines() -> str:
    """The command lines of all processes that can be seen."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)


def test_worker_at_work_tells_no_secret(server: EmbeddedServer, tmp_path: Path) -> None:
    """Not while it answers, not when it is asked whether it does, not when its server goes; nor does `ps` show one."""
    told = environment(server.url, tmp_path)
    password = str(Redis.from_url(server.url).connection_pool.connection_kwargs["password"])
    output = tmp_path / "output"
    worker = started(told, output)
    try:
        settings = Settings.from_environment(told)
        assert heartbeat(settings, server.url, timeout=WAIT_SECONDS) is not None
        (tmp_path / "request.json").write_text(str(a_request()).replace("'", '"'), encoding="utf-8")
        said = output_of("submit", "--wait", str(tmp_path / "request.json"), told=told)
        said += output_of("worker", "--check", told=told)
        assert "fits" in said
        shown = command_lines()
        assert password not in shown
        assert KEY not in shown
        server.stop()
        assert eventually(lambda: b"refused" in output.read_bytes().lower(), within=WAIT_SECONDS)
        said += output_of("dead", "list", told=told)
    finally:
        worker.terminate()
        worker.wait(30)
        server.start()
    assert_told_nothing(said + output.read_text(encoding="utf-8"), password, KEY)


@pytest.mark.parametrize("away", [False, True])
def test_worker_that_is_not_let_in_tells_no_secret(server: EmbeddedServer, tmp_path: Path, *, away: bool) -> None:
    """Neither with a wrong password nor while the server is away; commands neither."""
    address = FAR.format(password=WRONG) if away else server.url.replace(server.url.split(":")[2].split("@")[0], WRONG)
    told = environment(address, tmp_path)
    output = tmp_path / "output"
    worker = started(told, output)
    try:
        expected = b"refused" if away else b"invalid"
        assert eventually(lambda: expected in output.read_bytes().lower(), within=WAIT_SECONDS)
    finally:
        worker.terminate()
        worker.wait(30)
    (tmp_path / "request.json").write_text("{}", encoding="utf-8")
    said = output_of("submit", str(tmp_path / "request.json"), told=told)
    assert "does not answer" in said
    assert_told_nothing(said + output.read_text(encoding="utf-8"), WRONG, KEY)


def output_of(*words: str, told: Mapping[str, str]) -> str:
    """What a command says, on whichever stream."""
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        env=dict(told),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    return ended.stdout + ended.stderr


def assert_told_nothing(text: str, *secrets: str) -> None:
    """None of the secrets, nor half of one, is in the text."""
    assert text
    for secret in secrets:
        half = len(secret) // 2
        for part in (secret, secret[:half], secret[half:]):
            assert part not in text, next(line for line in text.splitlines() if part in line).replace(part, "…")
