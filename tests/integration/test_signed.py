"""Workers that answer signed messages only."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from redis import Redis

from schemas.recommendation import ErrorAnswer
from tests.messages import a_message, encoded
from worker.client import Client
from worker.delivery.signature import Signer
from worker.health import heartbeat
from worker.keys import Keys
from worker.settings import Settings
from worker.wiring import Wiring

from .conftest import READY_SECONDS, ScriptedWorker, a_request, assert_gone, entries_by_id, forget, settings_for

WAIT_SECONDS = 30.0
KEY = "the key that producers and workers share"
NOTHING = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


@pytest.fixture(scope="module")
def signed(redis: Redis, url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Client]]:
    """A worker with a key, and a client that has it too."""
    home = tmp_path_factory.mktemp("home")
    own = settings_for(home).model_copy(update={"signing_key": SecretStr(KEY)})
    worker = ScriptedWorker(own, url).start()
    try:
        with Client(own, url) as opened:
            assert heartbeat(own, url, timeout=READY_SECONDS) is not None
            yield own, opened
    finally:
        worker.stop()
        assert_gone(worker.pid)
        forget(redis, own.key_prefix)


def test_signed_requests_are_answered(signed: tuple[Settings, Client]) -> None:
    """One alone, a list, and a health check."""
    settings, client = signed
    ids = [client.submit(a_request()), *client.submit_many([a_request(), a_request()])]
    assert {answer.status for answer in client.wait_many(ids, timeout=WAIT_SECONDS)} == {"ok"}
    wiring = Wiring(settings, "redis://127.0.0.1:1/0")
    assert wiring.signer is not None


def forged(case: str, victim: str) -> dict[str, Any]:
    """A message that would be answered under the id ``victim``, were it believed."""
    message = a_message(victim, body=encoded([[], {"request": {**a_request(), "request_id": victim}}, NOTHING]))
    if case == "unsigned":
        return message
    if case == "foreign key":
        Signer(b"another key").sign(message)
        return message
    Signer(KEY.encode()).sign(message)
    match case:
        case "tampered body":
            changed = {**a_request(), "request_id": victim, "alternatives": 1}
            message["body"] = encoded([[], {"request": changed}, NOTHING])
        case "tampered id":
            message["headers"]["id"] = f"{victim}-2"
        case "tampered task":
            message["headers"]["task"] = "weighbridge.size_many"
        case "signature that is no ASCII":
            message["headers"]["signature"] = "é"
        case "half a character":
            message["body"] = "\ud800"
        case _:
            # Each would be told to the victim, if what is wrong with it were looked at first.
            del message["headers"]["signature"]
            wrong: dict[str, Any] = {
                "unsigned, and another content": {"content-type": "application/x-python-serialize"},
                "unsigned, and a broken body": {"body": "%%%"},
                "unsigned, and too late": {"headers": message["headers"] | {"eta": "2999-01-01T00:00:00+00:00"}},
                "unsigned, and given up": {"headers": message["headers"] | {"deliveries": 3}},
                "unsigned, and expired": {"headers": message["headers"] | {"expires": "2026-01-01T00:00:00+00:00"}},
            }
            message |= wrong[case]
    return message


CASES = (
    "unsigned",
    "foreign key",
    "tampered body",
    "tampered id",
    "tampered task",
    "signature that is no ASCII",
    "half a character",
    "unsigned, and another content",
    "unsigned, and a broken body",
    "unsigned, and too late",
    "unsigned, and given up",
    "unsigned, and expired",
)


@pytest.mark.parametrize("case", CASES)
def test_forged_message_is_set_aside_and_told_to_nobody(
    signed: tuple[Settings, Client], redis: Redis, case: str
) -> None:
    """It becomes a dead letter, nothing is published under the id it names, and the worker goes on."""
    settings, client = signed
    victim = f"victim-{secrets.token_hex(4)}"
    wiring = Wiring(settings, client.url)
    before = len(wiring.dead)
    redis.lpush(wiring.keys.queue("sizing"), json.dumps(forged(case, victim)))
    assert client.wait(client.submit(a_request()), timeout=WAIT_SECONDS).status == "ok"
    letters = list(wiring.dead.newest_first())
    assert len(letters) == before + 1
    assert (letters[0].reason, letters[0].request_ids) == ("signature", [])
    assert_nothing_is_known_of(victim, redis, wiring.keys)
    wiring.close()


def test_what_is_planted_in_the_ledger_is_told_to_nobody(signed: tuple[Settings, Client], redis: Redis) -> None:
    """Whoever sends may write to the ledger: a forged message there, lost often enough, answers for no id."""
    settings, client = signed
    victim = f"victim-{secrets.token_hex(4)}"
    wiring = Wiring(settings, client.url)
    message = forged("unsigned", victim)
    tag = message["properties"]["delivery_tag"]
    redis.zadd(wiring.keys.ledger, {tag: 1})
    record = f"{wiring.keys.queue('sizing')} {json.dumps(message)}"
    redis.hset(wiring.keys.ledger_messages, mapping={tag: record, f"{tag}:sent": "99"})
    wiring.upkeep.sweep()
    assert next(wiring.dead.newest_first()).request_ids == []
    assert_nothing_is_known_of(victim, redis, wiring.keys)
    wiring.close()


def test_sender_with_another_key_in_the_same_process_is_refused(
    signed: tuple[Settings, Client], redis: Redis, tmp_path: Path
) -> None:
    """Two clients of one process each sign with their own key, whatever Celery shares between them."""
    settings, client = signed
    other = settings.model_copy(update={"signing_key": SecretStr("another key"), "home": tmp_path})
    with Client(other, client.url) as foreign:
        refused = foreign.submit(a_request())
        accepted = client.submit(a_request())
    assert client.wait(accepted, timeout=WAIT_SECONDS).status == "ok"
    assert_nothing_is_known_of(refused, redis, Keys(prefix=settings.key_prefix))
    assert not isinstance(client.wait(client.submit(a_request()), timeout=WAIT_SECONDS), ErrorAnswer)


def assert_nothing_is_known_of(request_id: str, redis: Redis, keys: Keys) -> None:
    """Nothing was published under any id that begins with this one."""
    assert not [known for known in entries_by_id(redis, keys) if known.startswith(request_id)]
    assert not list(redis.scan_iter(match=f"{keys.done(request_id)}*"))
    assert not list(redis.scan_iter(match=f"{keys.reply(request_id)}*"))
