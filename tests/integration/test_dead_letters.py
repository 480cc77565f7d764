"""Dead letters as an operator sees them: listed, shown, sent again, dropped."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from cli.main import main
from worker.app import SIZE, create_app
from worker.client import Client
from worker.keys import Keys
from worker.settings import Settings

from .conftest import StartWorker, a_request, entries_by_id
from .polling import eventually

WAIT_SECONDS = 30.0
Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, url: str) -> Run:
    """Runs ``weighbridge dead`` on this test's keys."""

    def run_command(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["dead", *arguments], env=settings.environment(url))

    return run_command


def listed(run: Run) -> list[dict[str, Any]]:
    """What ``dead list`` tells."""
    told = run("list", "--json")
    assert told.exit_code == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def test_letter_is_sent_again_once_its_fault_is_mended(
    run: Run, settings: Settings, client: Client, redis: Redis, start_worker: StartWorker
) -> None:
    """A message for a day too far is set aside and answered; sent again by an operator, it is answered anew."""
    app = create_app(settings, client.url)
    app.send_task(SIZE, kwargs={"request": a_request()}, task_id="late", countdown=3600)
    app.close()
    start_worker(settings)
    assert client.wait("late", timeout=WAIT_SECONDS).status == "error"
    assert eventually(lambda: len(listed(run)) == 1, within=WAIT_SECONDS)
    (letter,) = listed(run)
    assert (letter["reason"], letter["source"], letter["request_ids"]) == ("delayed", "sizing", "late")
    shown = json.loads(run("show", letter["letter"]).stdout)
    assert json.loads(shown["message"])["headers"]["id"] == "late"
    assert "delayed" in run("list").stdout
    assert run("replay", letter["letter"]).exit_code == 0
    assert eventually(lambda: client.wait("late", timeout=WAIT_SECONDS).status == "ok", within=WAIT_SECONDS)
    assert listed(run) == []
    assert entries_by_id(redis, Keys(prefix=settings.key_prefix)) == {"late": 2}


def test_request_that_kills_is_set_aside(
    run: Run, settings: Settings, client: Client, start_worker: StartWorker
) -> None:
    """Answered as an error after its tries; an operator may try it once more, and drops it."""
    start_worker(settings)
    request_id = client.submit(a_request(dies=True))
    assert client.wait(request_id, timeout=WAIT_SECONDS).status == "error"
    assert eventually(lambda: len(listed(run)) == 1, within=WAIT_SECONDS)
    (letter,) = listed(run)
    assert (letter["reason"], letter["request_ids"]) == ("failed", request_id)
    assert run("replay", letter["letter"]).exit_code == 0
    assert eventually(lambda: len(listed(run)) == 1, within=WAIT_SECONDS)
    (again,) = listed(run)
    assert again["letter"] != letter["letter"]
    assert run("drop", again["letter"]).exit_code == 0
    assert listed(run) == []


def test_letter_that_cannot_be_read_cannot_be_sent(run: Run, settings: Settings, redis: Redis) -> None:
    """An operator is told, with what to do; so is one who names no letter there is."""
    letter_id = redis.xadd(f"{settings.key_prefix}dead", {"reason": "not_json", "source": "sizing", "message": "{"})
    refused = run("replay", str(letter_id))
    assert refused.exit_code == 2
    assert "cannot be sent again" in refused.stderr
    assert "dead drop" in refused.stderr
    assert run("show", "7-7").exit_code == 2
    assert run("show", "seven").exit_code == 2
    assert len(listed(run)) == 1
