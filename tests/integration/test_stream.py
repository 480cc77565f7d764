"""Requests from the plain stream, answered by real processes that are killed, stopped, starved and lied to."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rules import recommend
from rules.site import load_with_site
from rules.site_watch import SiteWatch
from tests.unit.rules.site_folders import NO_FP4, site_folder
from worker.connection import connect
from worker.delivery.signature import Signer
from worker.embedded import EmbeddedServer
from worker.health import stream_is_read
from worker.kept_alive import KeptAlive
from worker.keys import Keys
from worker.settings import Settings
from worker.stream.beat import silent
from worker.stream.entry import Terms
from worker.stream.inbox import GROUP, Inbox
from worker.wiring import Wiring

from .conftest import (
    READY_SECONDS,
    ScriptedStream,
    a_request,
    assert_gone,
    entries_by_id,
    forget,
    published,
    settings_for,
)
from .polling import eventually
from .test_site_rules import DENIED

WAIT_SECONDS = 30.0


def quick(**metadata: object) -> dict[str, Any]:
    """A good request that is weighed on one GPU only."""
    return {**a_request(**metadata), "hardware": {"gpu": "RTX 3090"}}


class Scene:
    """A stream of one test's own, the processes on it, and what may be asked of both."""

    def __init__(self, settings: Settings, url: str, ended: ExitStack) -> None:
        self.settings = settings
        self.url = url
        self.redis = connect(url, patience=8)
        self.keys = Keys(prefix=settings.key_prefix)
        self._ended = ended
        ended.callback(self.redis.close)

    def set(self, **changes: object) -> "Scene":
        """The same scene with other settings."""
        self.settings = Settings.model_validate({**self.settings.model_dump(), **changes})
        return self

    def process(self, number: int = 1) -> ScriptedStream:
        """One process, not started yet."""
        process = ScriptedStream(self.settings, self.url, number)

        def end() -> None:
            process.kill()
            assert_gone(process.pid)

        self._ended.callback(end)
        return process

    def start(self, number: int = 1) -> ScriptedStream:
        """One process, reading."""
        process = self.process(number)
        process.start()
        self.wait_until_read(number)
        return process

    def wait_until_read(self, number: int = 1) -> None:
        """Waits for the beat of a process."""
        beat = self.keys.beat(self.settings.worker_name, number)
        assert eventually(lambda: bool(self.redis.exists(beat)), within=READY_SECONDS)

    def send(self, *requests: object) -> list[str]:
        """Adds entries, each a request or raw text; their names."""
        with self.redis.pipeline() as pipeline:
            for request in requests:
                text = request if isinstance(request, str | bytes) else json.dumps(request)
                pipeline.xadd(self.keys.requests, {"request": text})
            return [str(entry) for entry in pipeline.execute()]

    def waiting(self) -> int:
        """Entries not settled yet."""
        return int(self.redis.xlen(self.keys.requests))

    def held(self) -> int:
        """Entries that processes hold."""
        return int(self.redis.xpending(self.keys.requests, GROUP)["pending"])

    def answers(
        self, within: float = WAIT_SECONDS, *, while_waiting: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """What was published by request id once nothing waits; each id once."""

        def is_settled() -> bool:
            while_waiting()
            return self.waiting() == 0

        assert eventually(is_settled, within=within), f"{self.waiting()} entries wait"
        bodies = published(self.redis, self.keys)
        answers = {request_id: json.loads(body) for request_id, body in bodies}
        assert len(answers) == len(bodies)
        return answers


@pytest.fixture
def scene(settings: Settings, url: str) -> Iterator[Scene]:
    """The scene of this test alone."""
    with ExitStack() as ended:
        yield Scene(settings, url, ended)


@pytest.fixture(scope="module")
def served(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One process for all tests that do it no harm."""
    with ExitStack() as ended:
        scene = Scene(settings_for(tmp_path_factory.mktemp("home")), url, ended)
        ended.callback(forget, scene.redis, scene.settings.key_prefix)
        scene.set(max_message_bytes=2048, soft_time_limit_seconds=2, visibility_timeout_seconds=600).start()
        yield scene


def test_answer_is_the_one_given_in_process(served: Scene) -> None:
    """The bytes published are those the same request gets in process, under its own id or else the entry's."""
    named, unnamed = {**quick(note="é"), "request_id": "same-bytes"}, quick(tricky={"__type__": "uuid"})
    _, entry = served.send(named, unnamed)
    assert {served.answers()[each]["status"] for each in ("same-bytes", entry)} == {"ok"}
    bodies = dict(published(served.redis, served.keys))
    assert bodies["same-bytes"] == recommend.encode(recommend.answer(named))
    assert bodies[entry] == recommend.encode(recommend.answer(unnamed, request_id=entry))
    assert served.redis.blpop([served.keys.reply(entry)], timeout=1) is not None


def test_killed_processes_lose_nothing_and_repeat_nothing(scene: Scene) -> None:
    """Entries held by a process that is killed under load, three times, are all answered, each exactly once."""
    entries = scene.send(*(quick(sleep_seconds=0.01) for _ in range(160)))
    process = scene.process()
    for kill in range(1, 4):
        process.start()
        assert eventually(lambda kill=kill: scene.waiting() <= 160 - 20 * kill, within=READY_SECONDS)  # type: ignore[misc]
        process.kill()
        assert scene.waiting() > 0
    process.start()
    answers = scene.answers()
    assert sorted(answers) == sorted(entries)
    assert {answer["status"] for answer in answers.values()} == {"ok"}


def test_two_processes_share_and_one_takes_over_from_the_other(scene: Scene) -> None:
    """Both answer; what a dead one held is the other's after the visibility timeout, although it never returns."""
    limits = {"soft_time_limit_seconds": 1, "hard_time_limit_seconds": 2, "visibility_timeout_seconds": 4}
    scene.set(stream_batch=5, **limits)
    first, _ = scene.start(1), scene.start(2)
    entries = scene.send(*(quick(sleep_seconds=0.05) for _ in range(60)))

    def both_hold_some() -> bool:
        consumers = scene.redis.xinfo_consumers(scene.keys.requests, GROUP)
        return [consumer["pending"] > 0 for consumer in consumers] == [True, True]

    assert eventually(both_hold_some, within=WAIT_SECONDS)
    first.kill()
    answers = scene.answers()
    assert sorted(answers) == sorted(entries)
    assert {answer["status"] for answer in answers.values()} == {"ok"}


def test_entries_that_are_no_requests_are_answered(served: Scene) -> None:
    """Whatever an entry holds, it is answered as invalid under the id found in it or its own, and nothing waits."""
    bad: list[str | bytes] = [
        "not JSON",
        b"\xff\xfe\x00",
        "",
        "7",
        "[]",
        "null",
        "[" * 1000 + "]" * 1000,
        '{"model": NaN}',
        '{"request_id": "é", "model": {"num_parameters": 1}}',
        json.dumps({**quick(), "request_id": "too-long", "metadata": {"x": "x" * 3000}}),
    ]
    told = ['{"request_id": "twice", "model": {}, "model": {}}', '{"request_id": "wrong", "model": 7}']
    mixed = [each for pair in zip(bad, [quick()] * len(bad), strict=True) for each in pair]
    entries = served.send(*mixed, *told)
    without = [str(served.redis.xadd(served.keys.requests, {field: "{}"})) for field in ("reqest", "")]
    answers = served.answers()
    ids = entries[: len(mixed)]
    assert set(answers) >= {*ids, *without, "twice", "wrong"}
    assert {answers[each]["status"] for each in ids[1::2]} == {"ok"}
    errors = [answers[each]["error"]["code"] for each in (*ids[0::2], *without, "twice", "wrong")]
    assert set(errors) == {"invalid_request"}


def test_entry_that_ends_its_process_is_answered_and_its_neighbours_as_ever(scene: Scene) -> None:
    """Killed, or ended by the kernel at the hard limit, as often as allowed: then an error, and only for the one."""
    scene.set(max_deliveries=2, soft_time_limit_seconds=1, hard_time_limit_seconds=2)
    entries = scene.send(quick(), quick(dies=True), quick(), quick(never_returns=True), quick())
    said: list[str] = []
    process = scene.process()
    process.start()
    kept = KeptAlive(process, "it", said.append, makes_room=True)
    answers = scene.answers(within=60, while_waiting=kept.look)
    assert [answers[each]["status"] for each in entries] == ["ok", "error", "ok", "error", "ok"]
    assert {answers[each]["error"]["code"] for each in entries[1::2]} == {"internal"}
    letters = Wiring(scene.settings, scene.url).dead
    assert {letter.reason for letter in letters.newest_first()} == {"workers_lost"}
    assert [[*letter.request_ids] for letter in letters.newest_first()] == [[entries[3]], [entries[1]]]
    assert [line.split(";")[0] for line in said] == [
        "it ended with signal SIGKILL",
        "it ended with signal SIGKILL",
        "it ended with signal SIGALRM",
    ]


def test_request_that_takes_too_long_holds_up_no_answer(served: Scene) -> None:
    """What was ready before is published while the slow one runs; it is answered an error, and those behind follow."""
    before, slow, behind = served.send(quick(), quick(sleep_seconds=60), quick())
    assert eventually(lambda: before in entries_by_id(served.redis, served.keys), within=10)
    assert slow not in entries_by_id(served.redis, served.keys)
    answers = served.answers()
    assert (answers[slow]["error"]["code"], answers[slow]["error"]["message"]) == (
        "internal",
        "the request took too long",
    )
    assert answers[behind]["status"] == "ok"


@pytest.mark.parametrize("sleep_seconds", [0.5, 2.0])
def test_terminated_process_hands_back_what_it_holds(scene: Scene, sleep_seconds: float) -> None:
    """It ends with some unanswered; another takes those at once, where the visibility timeout would take minutes."""
    scene.set(visibility_timeout_seconds=600)
    process = scene.start(1)
    entries = scene.send(*(quick(sleep_seconds=sleep_seconds) for _ in range(2)))
    assert eventually(lambda: scene.held() == 2, within=10)
    process.begin_to_stop()
    assert eventually(lambda: process.exit_status() == 0, within=20)
    assert 0 < scene.waiting() <= 2
    assert silent(scene.redis, scene.settings) == [1]
    scene.start(2)
    answers = scene.answers()
    assert sorted(answers) == sorted(entries)
    assert {answer["status"] for answer in answers.values()} == {"ok"}


def test_worn_out_process_makes_room_without_a_word(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many requests as it serves it ends well, and the next goes on where it was."""
    monkeypatch.setenv("WORN_OUT_AFTER", "5")
    scene.set(stream_batch=3)
    entries = scene.send(*(quick() for _ in range(9)))
    said: list[str] = []
    process = scene.process()
    process.start()
    first, kept = process.pid, KeptAlive(process, "it", said.append, makes_room=True)
    assert sorted(scene.answers(while_waiting=kept.look)) == sorted(entries)
    assert (process.pid == first, said) == (False, [])


def test_server_that_is_restarted_emptied_or_full_is_waited_for(own_server: EmbeddedServer, tmp_path: Path) -> None:
    """The same process goes on after each, on a full server without acknowledging what it could not publish."""
    with ExitStack() as ended:
        scene = Scene(settings_for(tmp_path), own_server.url, ended)
        process = scene.start()
        sent = scene.send(quick())
        assert set(scene.answers()) == set(sent)

        os.kill(own_server.pid, signal.SIGKILL)
        own_server.stop()
        time.sleep(0.5)
        own_server.start()
        sent += scene.send(quick())
        assert set(scene.answers()) >= set(sent[1:])

        scene.redis.flushall()
        sent = scene.send(quick())
        assert set(scene.answers()) == set(sent)

        scene.wait_until_read()
        sent += scene.send(*(quick(sleep_seconds=0.2) for _ in range(3)))
        scene.redis.config_set("maxmemory", 1)
        time.sleep(2)
        assert scene.waiting() == 3
        assert stream_is_read(scene.settings, scene.url, timeout=0)
        scene.redis.config_set("maxmemory", 0)
        assert set(scene.answers()) == set(sent)
        assert process.exit_status() is None


def test_beat_tells_who_reads(served: Scene) -> None:
    """A worker is healthy when each of its processes reads the stream; one that does not run does not."""
    one = served.settings
    two, none = (one.model_copy(update={"stream_processes": number}) for number in (2, 0))
    assert stream_is_read(one, served.url, timeout=0)
    assert not stream_is_read(two, served.url, timeout=0.3)
    assert stream_is_read(none, served.url, timeout=0)
    assert not stream_is_read(one, "redis://127.0.0.1:1", timeout=5)


def test_only_signed_entries_are_answered_where_signatures_are_asked_for(scene: Scene) -> None:
    """A forged entry is set aside and told so under its own name, whatever id it claims."""
    scene.set(signing_key="secret")
    scene.start()
    text = json.dumps({**quick(), "request_id": "claimed"})
    (forged,) = scene.send(text)
    signature = Signer(b"secret").of_request(text.encode())
    scene.redis.xadd(scene.keys.requests, {"request": text, "signature": signature})
    answers = scene.answers()
    assert {each: answer["status"] for each, answer in answers.items()} == {forged: "error", "claimed": "ok"}
    (letter,) = Wiring(scene.settings, scene.url).dead.newest_first()
    assert (letter.reason, letter.source, letter.message.decode()) == ("signature", "requests", text)


def test_a_sites_rules_are_waited_for_and_in_force(scene: Scene, tmp_path: Path) -> None:
    """The process answers by the rules its worker put in force, and not before there are any."""
    folder = site_folder(tmp_path / "site", no_fp4_in_production=NO_FP4)
    scene.set(rules_path=folder)
    (entry,) = scene.send(DENIED)
    scene.process().start()
    assert not eventually(lambda: scene.waiting() == 0, within=2)
    SiteWatch(folder, scene.settings.rules_home).begin()
    answer = scene.answers()[entry]
    assert (answer["verdict"], answer["versions"]["rules"]) == ("unsupported", load_with_site(folder).version)


def test_group_forgets_consumers_that_are_long_gone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that holds nothing is forgotten; one that holds something is not, however long it is silent."""

    def consumer(name: str) -> Inbox:
        client = connect(scene.url, patience=0, decode=False)
        return Inbox(
            redis=client,
            stream=scene.keys.requests,
            consumer=name,
            batch=1,
            terms=Terms(max_bytes=1024, signer=None),
            visibility_timeout_seconds=60,
        )

    scene.send(quick())
    holds, idle = consumer("holds"), consumer("idle")
    holds.prepare()
    assert len(holds.new()) == 1
    idle.new()
    monkeypatch.setattr("worker.stream.inbox.GONE_SECONDS", 0)
    time.sleep(0.01)
    holds.prepare()
    names = [each["name"] for each in scene.redis.xinfo_consumers(scene.keys.requests, GROUP)]
    assert names == ["holds"]
    holds.redis.close()
    idle.redis.close()
