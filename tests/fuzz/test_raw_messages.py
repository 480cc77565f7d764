"""Anything at all on a queue: no worker ends, and each message is answered or set aside with a reason.

``make fuzz`` sends many; without WEIGHBRIDGE_TEST_RAW_MESSAGES it is a few.
"""

import json
import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.messages import a_message, encoded
from worker.app import ANSWERED, TASKS
from worker.client import Client
from worker.delivery.envelope import Envelope, MalformedMessageError, Reason, arguments, read
from worker.embedded import EmbeddedServer, find_binary
from worker.health import heartbeat
from worker.identity import ids_of
from worker.wiring import Wiring

from ..integration.conftest import ScriptedWorker, a_request, settings_for
from ..integration.polling import eventually
from ..integration.test_killed import pool_of

MESSAGES = int(os.environ.get("WEIGHBRIDGE_TEST_RAW_MESSAGES", "600"))
AT_ONCE = 50
WAIT_SECONDS = 30.0

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
"""Any JSON, and what Python writes beside it."""

PLACES = (
    *(
        ("headers", name)
        for name in ("task", "id", "eta", "expires", "retries", "timelimit", "group", "shadow", "stamps")
    ),
    *(("headers", name) for name in ("lang", "argsrepr", "origin", "ignore_result", "deliveries", "signature", "new")),
    *(("properties", name) for name in ("delivery_tag", "delivery_info", "delivery_mode", "body_encoding", "priority")),
    *(("properties", name) for name in ("correlation_id", "reply_to")),
    *((name,) for name in ("headers", "properties", "body", "content-type", "content-encoding", "new")),
)
likely = st.sampled_from(
    [
        *TASKS,
        "celery.map",
        "sizing",
        "application/json",
        "utf-8",
        "base64",
        "2026-11-25T00:00:00",
        "9999-12-31T23:59:59Z",
    ]
)


class Change(NamedTuple):
    """What is done to one place of a message: another value, or none."""

    place: tuple[str, ...]
    value: Any
    is_left_out: bool


changes = st.builds(Change, st.sampled_from(PLACES), values | likely, st.booleans())
bodies = st.one_of(
    values.map(lambda value: [[], {"request": value}, {}]),
    st.tuples(values, values, values).map(list),
    values,
    st.just([[], {"requests": [a_request(), {}, None]}, {"chain": None}]),
)


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message that began as a good one."""
    unique = draw(st.uuids()).hex
    body = draw(bodies | st.just([[], {"request": a_request()}, {}]))
    headers, properties = {"task": draw(st.sampled_from(ANSWERED))}, {"delivery_tag": f"tag-{unique}"}
    message = a_message(unique, body=encoded(body), headers=headers, properties=properties)
    for change in draw(st.lists(changes, max_size=3)):
        *parents, name = change.place
        inner: Any = message
        for parent in parents:
            inner = inner.get(parent)
        if not isinstance(inner, dict):
            continue
        if change.is_left_out:
            inner.pop(name, None)
        else:
            inner[name] = change.value
    text = json.dumps(message).encode()
    if draw(st.integers(0, 9)) == 0:
        cut = draw(st.integers(0, len(text)))
        text = text[:cut] + draw(st.binary(max_size=8)) + text[cut + draw(st.integers(0, 8)) :]
    return text


class Target(NamedTuple):
    """A worker that must outlive all of it."""

    worker: ScriptedWorker
    pool: frozenset[int]
    client: Client
    wiring: Wiring


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A worker on a server of its own."""
    folder = tmp_path_factory.mktemp("raw")
    server = EmbeddedServer(find_binary("auto"), folder / "server").start()
    own = settings_for(folder).model_copy(
        update={"log_level": "ERROR", "max_deliveries": 3, "dead_maxlen": 10 * MESSAGES}
    )
    wiring = Wiring(own, server.url)
    with Client(own, server.url) as client, (folder / "worker.log").open("wb") as log:
        worker = ScriptedWorker(own, server.url, log=log).start()
        assert heartbeat(own, server.url, timeout=WAIT_SECONDS) is not None
        yield Target(worker, frozenset(pool_of(worker.pid)), client, wiring)
        worker.stop()
    wiring.close()
    server.stop()


def envelope_of(message: bytes) -> Envelope | None:
    """The envelope of a message that a task is given; None of one that is set aside."""
    try:
        envelope = read(message, "sizing", TASKS, max_message_bytes=2**20)
    except MalformedMessageError:
        return None
    return envelope if envelope.headers.deliveries < 3 else None


@pytest.mark.timeout(900)
@settings(
    max_examples=max(1, MESSAGES // AT_ONCE),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # a batch that fails says enough: to make it smaller takes a worker minutes
)
@given(batch=st.lists(messages(), min_size=AT_ONCE, max_size=AT_ONCE))
def test_anything_is_answered_or_set_aside(target: Target, batch: list[bytes]) -> None:
    """Each message of a batch, and the good request behind it, by the processes that were there at the start."""
    queue, unacked = target.wiring.keys.queue("sizing"), target.wiring.keys.unacked
    letters_before = len(target.wiring.dead)
    target.wiring.raw.lpush(queue, *batch)
    began = time.monotonic()
    assert target.client.wait(target.client.submit(a_request()), timeout=WAIT_SECONDS).status == "ok"
    assert eventually(
        lambda: int(target.wiring.raw.llen(queue)) + int(target.wiring.raw.hlen(unacked)) == 0, within=WAIT_SECONDS
    )
    SLOWEST.append(time.monotonic() - began)
    given_out = [envelope for message in batch if (envelope := envelope_of(message)) is not None]
    assert len(target.wiring.dead) - letters_before == len(batch) - len(given_out)
    waited = [each for each in given_out if each.headers.task in ANSWERED]
    ids = [request_id for each in waited for request_id in ids_of(each.headers.id, arguments(each)[1])]
    known = [target.wiring.redis.exists(target.wiring.keys.done(request_id)) for request_id in ids]
    assert known == [1] * len(ids)
    assert target.worker.exit_status() is None
    assert frozenset(pool_of(target.worker.pid)) == target.pool


SLOWEST: list[float] = []


def test_every_reason_was_met(target: Target) -> None:
    """What was set aside says why, in the words there are for it; the figures are printed."""
    reasons: dict[str, int] = {}
    for letter in target.wiring.dead.newest_first():
        assert letter.reason in get_args(Reason)
        assert letter.detail
        reasons[letter.reason] = reasons.get(letter.reason, 0) + 1
    assert len(reasons) > 2
    answers = int(target.wiring.redis.xlen(target.wiring.keys.results))
    print(f"\n{len(SLOWEST) * AT_ONCE} messages, {answers} answers, slowest batch {max(SLOWEST):.1f} s, {reasons}")  # noqa: T201
