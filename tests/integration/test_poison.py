"""Messages that are none, between good ones, on a real queue."""

import json
import pickle
import secrets
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from redis import Redis

from schemas.recommendation import ErrorAnswer
from tests.hostile import hostile_messages
from tests.messages import a_message, encoded
from worker.app import TASKS
from worker.client import Client
from worker.delivery.envelope import arguments, read
from worker.identity import ids_of
from worker.settings import Settings
from worker.wiring import Wiring

from .conftest import a_request
from .polling import eventually

Running = tuple[Settings, Client]
WAIT_SECONDS = 30.0


UNREADABLE: Mapping[str, tuple[str, bytes]] = {
    "bytes": ("not_json", b"\xff\xfe\x00"),
    "text": ("not_json", b"hello"),
    "scalar": ("not_an_envelope", b"7"),
    "empty object": ("not_an_envelope", b"{}"),
    "no properties": ("not_an_envelope", json.dumps({"body": "", "headers": {}}).encode()),
    "nested": ("not_json", b"[" * 100_000),
    "kombu's own objects": ("not_json", b'{"__type__": "datetime", "__value__": "never"}'),
    "too large": ("too_large", b'"' + b"x" * (2**20) + b'"'),
    "tag that is a number": (
        "not_an_envelope",
        json.dumps(a_message("x", properties={"delivery_tag": 7})).encode(),
    ),
    "time limit": ("not_an_envelope", json.dumps(a_message("x", headers={"timelimit": [1, 2]})).encode()),
    "another queue": (
        "not_an_envelope",
        json.dumps(a_message("x", properties={"delivery_info": {"exchange": "", "routing_key": "admission"}})).encode(),
    ),
}

ADDRESSED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "pickle": ("content_type", {"content-type": "application/x-python-serialize", "body": encoded(pickle.dumps(7))}),
    "body that is no base64": ("body", {"body": "%%%"}),
    "body that is no JSON": ("body", {"body": encoded(b"{")}),
    "body of another shape": ("body", {"body": encoded({"request": a_request()})}),
    "body with a key said twice": ("body", {"body": encoded(b'[[], {"request": {"model": 1, "model": 2}}, {}]')}),
    "body that is nested": ("body", {"body": encoded(b"[" * 100_000)}),
    "another task to follow": ("body", {"body": encoded([[], {"request": {}}, {"chain": [{"task": "x"}]}])}),
    "far too late": ("delayed", {"headers": {"eta": "2999-01-01T00:00:00+00:00"}}),
    "workers lost": ("workers_lost", {"headers": {"deliveries": 3}}),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_message_is_set_aside(running: Running, redis: Redis, case: str) -> None:
    """It becomes a dead letter with a reason, and the worker answers the next request at once."""
    settings, client = running
    reason, message = UNREADABLE[case]
    wiring = Wiring(settings, client.url)
    before = len(wiring.dead)
    redis.lpush(wiring.keys.queue("sizing"), message)
    assert client.wait(client.submit(a_request()), timeout=WAIT_SECONDS).status == "ok"
    letters = list(wiring.dead.newest_first())
    assert len(letters) == before + 1
    assert (letters[0].reason, letters[0].source, letters[0].length) == (reason, "sizing", len(message))
    assert letters[0].message == message[: settings.max_message_bytes]
    wiring.close()


@pytest.mark.parametrize("case", ADDRESSED)
def test_message_that_says_for_whom_is_answered(running: Running, redis: Redis, case: str) -> None:
    """Whoever waits for it is told why it was set aside."""
    settings, client = running
    reason, changes = ADDRESSED[case]
    task_id = f"poison-{secrets.token_hex(4)}"
    wiring = Wiring(settings, client.url)
    redis.lpush(wiring.keys.queue("sizing"), json.dumps(a_message(task_id, **changes)))
    answer = client.wait(task_id, timeout=WAIT_SECONDS)
    assert isinstance(answer, ErrorAnswer)
    assert answer.error.code == ("internal" if reason == "workers_lost" else "invalid_request")
    letter = next(wiring.dead.newest_first())
    assert (letter.reason, letter.request_ids) == (reason, [task_id])
    wiring.close()


@pytest.mark.parametrize("case", ["far too late", "workers lost"])
def test_list_that_is_set_aside_is_answered_where_it_asks(running: Running, redis: Redis, case: str) -> None:
    """All of its requests, by the reply list that it names."""
    settings, client = running
    reason, changes = ADDRESSED[case]
    named = {"requests": [a_request(), {**a_request(), "request_id": "second"}], "reply_to": "handed"}
    message = a_message(
        "list",
        body=encoded([[], named, {}]),
        headers={**changes["headers"], "task": "weighbridge.size_many"},
        properties={"delivery_info": {"exchange": "", "routing_key": "sizing.batch"}},
    )
    redis.lpush(f"{settings.key_prefix}sizing.batch", json.dumps(message))
    handed = client.take(["other", "handed"], timeout=WAIT_SECONDS)
    assert handed is not None
    answers = [json.loads(answer) for answer in handed[1]]
    assert handed[0] == "handed"
    assert [answer["request_id"] for answer in answers][1] == "second"
    assert {answer["error"]["code"] for answer in answers} == {
        "internal" if reason == "workers_lost" else "invalid_request"
    }


def test_message_of_a_plain_producer_is_answered(running: Running, redis: Redis) -> None:
    """What a producer without our transport writes is as good as ours."""
    settings, client = running
    redis.lpush(f"{settings.key_prefix}sizing", json.dumps(a_message("plain")))
    assert client.wait("plain", timeout=WAIT_SECONDS).status == "ok"


def test_unknown_task_is_set_aside(running: Running, redis: Redis) -> None:
    """Also one of Celery's own, which would run other tasks; nobody waits for an answer."""
    settings, client = running
    wiring = Wiring(settings, client.url)
    for task in ("no.such.task", "celery.map"):
        redis.lpush(wiring.keys.queue("sizing"), json.dumps(a_message("unknown", headers={"task": task})))
    assert client.wait(client.submit(a_request()), timeout=WAIT_SECONDS).status == "ok"
    newest = list(wiring.dead.newest_first())[:2]
    assert [letter.reason for letter in newest] == ["unknown_task", "unknown_task"]
    wiring.close()


def test_expired_message_is_answered(running: Running, redis: Redis) -> None:
    """Celery drops what expired without a word; whoever sent it is told."""
    settings, client = running
    message = a_message("expired", headers={"expires": "2026-01-01T00:00:00+00:00"})
    redis.lpush(f"{settings.key_prefix}sizing", json.dumps(message))
    answer = client.wait("expired", timeout=WAIT_SECONDS)
    assert isinstance(answer, ErrorAnswer)
    assert answer.error.code == "unavailable"


def test_corpus_becomes_what_its_table_says(running: Running, redis: Redis) -> None:
    """Everything that is kept of what somebody might send, in one go: answered with the code, or dead of the reason."""
    settings, client = running
    wiring = Wiring(settings, client.url)
    before = len(wiring.dead)
    messages = hostile_messages()
    for message in messages:
        redis.lpush(wiring.keys.queue(message.queue), message.raw)
    for message in messages:
        if message.code is None:
            continue
        envelope = read(message.raw, message.queue, TASKS, max_message_bytes=settings.max_message_bytes)
        for request_id in ids_of(envelope.headers.id, arguments(envelope)[1]):
            answer = client.wait(request_id, timeout=WAIT_SECONDS)
            assert (answer.error.code if isinstance(answer, ErrorAnswer) else answer.status) == message.code
    dead = [message for message in messages if message.reason is not None]
    assert eventually(lambda: len(wiring.dead) - before == len(dead), within=WAIT_SECONDS)
    letters = [letter.reason for letter in wiring.dead.newest_first()][: len(dead)]
    assert Counter(letters) == Counter(message.reason for message in dead)
    assert client.wait(client.submit(a_request()), timeout=WAIT_SECONDS).status == "ok"
    wiring.close()
