"""A server that is not there, does not answer, or comes back."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import UnavailableError
from worker import app, connection
from worker.client import Client
from worker.delivery.transport import Channel
from worker.embedded import EmbeddedServer
from worker.health import heartbeat
from worker.keys import Keys

from .conftest import READY_SECONDS, ScriptedWorker, a_request, assert_gone, settings_for

NOWHERE = "redis://:secret@127.0.0.1:1/0"


def test_absent_server_is_told_at_once(tmp_path: Path) -> None:
    """A client of a server that is not there is told so long before it would stop waiting, without the password."""
    settings = settings_for(tmp_path)
    with Client(settings, NOWHERE) as client:
        for ask in (
            lambda: client.submit(a_request()),
            lambda: client.submit_many([a_request()]),
            lambda: client.wait("1", timeout=60),
            lambda: list(client.results(block=60)),
            lambda: list(client.results(group="g", block=60)),
        ):
            began = time.monotonic()
            with pytest.raises(UnavailableError) as told:
                ask()
            assert time.monotonic() - began < 30
            assert "secret" not in f"{told.value.message} {told.value.hint}"
    assert heartbeat(settings, NOWHERE, timeout=60) is None


def test_silent_server_is_told_in_bounded_time(
    own_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that accepts and never answers blocks nobody for ever."""
    for module in (app, connection):  # of which several add up
        monkeypatch.setattr(module, "SOCKET_TIMEOUT_SECONDS", 1)
    with Client(settings_for(tmp_path), own_server.url) as client:
        client.submit(a_request())
        os.kill(own_server.pid, signal.SIGSTOP)
        began = time.monotonic()
        try:
            with pytest.raises(UnavailableError):
                client.submit(a_request())
            with pytest.raises(UnavailableError):
                client.wait("1", timeout=1)
        finally:
            os.kill(own_server.pid, signal.SIGCONT)
        assert time.monotonic() - began < 30


def test_channel_that_was_closed_is_exchanged(
    own_server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that comes to send by a closed channel sends by another."""
    put = Channel._put
    closed: list[Channel] = []

    def close_the_first(channel: Channel, queue: str, message: dict[str, Any], **options: object) -> None:
        if not closed:
            closed.append(channel)
            channel.close()
        put(channel, queue, message, **options)

    monkeypatch.setattr(Channel, "_put", close_the_first)
    settings = settings_for(tmp_path)
    with Client(settings, own_server.url) as client:
        client.submit(a_request())
    redis = connection.connect(own_server.url, patience=0)
    assert redis.llen(Keys(prefix=settings.key_prefix).queue("sizing")) == 1
    redis.close()
    assert closed


def test_request_accepted_before_the_server_was_killed_is_answered(own_server: EmbeddedServer, tmp_path: Path) -> None:
    """A server killed and started again still has the request, and the worker that waited answers it."""
    settings = settings_for(tmp_path)
    worker = ScriptedWorker(settings, own_server.url).start()
    try:
        with Client(settings, own_server.url) as client:
            assert heartbeat(settings, own_server.url, timeout=READY_SECONDS) is not None
            answered = client.submit(a_request())
            first = client.wait(answered, timeout=20)
            os.kill(own_server.pid, signal.SIGKILL)
            own_server.stop()
            own_server.start()
            assert client.wait(answered, timeout=20) == first
            assert client.wait(client.submit(a_request()), timeout=30).status == "ok"
    finally:
        worker.kill()
        assert_gone(worker.pid)
