"""``weighbridge batch`` over a queue: real workers, a real server, and all of them killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from redis import Redis

from cli.main import main
from rules import recommend
from schemas.progress import BatchProgress
from worker.embedded import EmbeddedServer
from worker.keys import Keys
from worker.settings import Settings

from .conftest import READY_SECONDS, ScriptedWorker, StartWorker, assert_gone, settings_for
from .polling import eventually

COMMAND = [sys.executable, "-c", "from cli.main import main; main()", "batch"]
END_SECONDS = 100.0
SEEDS = int(os.environ.get("WEIGHBRIDGE_TEST_BATCH_SEEDS", "1"))
"""How often everything is killed, each time in another order and at other moments."""

CATALOG: Mapping[str, Any] = {
    "models": ["Qwen/Qwen3-*B", "openai/*", "nobody/nothing", {"nam": "x"}],
    "gpus": [{"architecture": "hopper"}, "RTX 3090"],
    "weight_formats": ["as-published", "fp8", "awq-int4"],
    "max_model_lens": [8192],
}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A catalogue, and a queue to size it over."""

    folder: Path
    settings: Settings
    url: str
    models: Mapping[str, Any] = field(default_factory=lambda: CATALOG)
    started: list["subprocess.Popen[bytes]"] = field(default_factory=list)

    @property
    def results(self) -> Path:
        """Where results go."""
        return self.folder / "results.jsonl"

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """``weighbridge batch`` in a process of its own."""
        with (self.folder / "said").open("a") as said:
            batch = subprocess.Popen(
                [*COMMAND, *arguments],
                env={**os.environ, **self.settings.environment(self.url)},
                stdout=subprocess.DEVNULL,
                stderr=said,
            )
        self.started.append(batch)
        return batch

    def end(self) -> None:
        """Leaves none of them behind, whatever the test came to."""
        for batch in self.started:
            batch.kill()
            batch.wait()

    @property
    def said(self) -> str:
        """What it said on standard error, with those before it."""
        return (self.folder / "said").read_text()

    def begin(self) -> "subprocess.Popen[bytes]":
        """A new batch."""
        return self.start(str(self.catalog(self.models)), "--results", str(self.results))

    def catalog(self, catalog: Mapping[str, Any]) -> Path:
        """A catalogue file."""
        path = self.folder / "catalog.yaml"
        path.write_text(json.dumps(catalog))
        return path

    def batch(self) -> str:
        """The id of the one batch that was begun."""
        (path,) = (self.settings.home / "batches").iterdir()
        return path.name

    def lines(self) -> list[str]:
        """Whole lines that are written."""
        text = self.results.read_text() if self.results.exists() else ""
        return text.splitlines(keepends=True)[: text.count("\n")]


@pytest.fixture
def scene(settings: Settings, url: str, tmp_path: Path) -> Iterator[Scene]:
    """One on the server that all tests use."""
    own = Scene(folder=tmp_path, settings=settings, url=url)
    yield own
    own.end()


def undisturbed(lines: list[str]) -> list[str]:
    """What each line would be if its cell were asked in this process; nothing of what was answered is used."""
    told = []
    for line in lines:
        value = json.loads(line)
        if not value["request"]:
            told.append(line)
            continue
        asked = {"request_id": f"cell-{value['cell']}", "model": {"name": value["model"]}, **value["request"]}
        value["answer"] = json.loads(recommend.encode(recommend.answer(asked)))
        told.append(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
    return told


def test_queue_gives_what_this_process_would(scene: Scene, start_worker: StartWorker, redis: Redis, keys: Keys) -> None:
    """Every cell once, byte for byte; nothing on the stream of results, no id known, no answer left on the server."""
    start_worker(scene.settings)
    with scene.begin() as batch:
        assert batch.wait(END_SECONDS) == 0, scene.said
    lines = scene.lines()
    numbers = sorted(json.loads(line)["cell"] for line in lines)
    assert numbers == list(range(len(lines)))
    assert len(lines) > 300
    assert lines == undisturbed(lines)
    errors = [line for line in lines if json.loads(line)["answer"]["status"] == "error"]
    assert {json.loads(line)["model"] for line in errors} == {"nobody/nothing", "models[3]"}
    assert not redis.exists(keys.results)
    assert list(redis.scan_iter(match=f"{scene.settings.key_prefix}reply:*")) == []
    assert list(redis.scan_iter(match=f"{scene.settings.key_prefix}done:*")) == []


def test_progress_is_told_to_whoever_listens(  # noqa: PLR0917 - fixtures
    scene: Scene,
    start_worker: StartWorker,
    redis: Redis,
    keys: Keys,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the progress stream, in ``weighbridge status`` and as lines, to the end."""
    start_worker(scene.settings)
    with scene.begin() as batch:
        assert batch.wait(END_SECONDS) == 0
    told = looks(redis, keys)
    assert [look.done for look in told] == sorted(look.done for look in told)
    assert {look.batch for look in told} == {scene.batch()}
    last = told[-1]
    assert (last.state, last.done, last.total) == ("finished", len(scene.lines()), len(scene.lines()))
    verdicts = [json.loads(line)["answer"].get("verdict", "error") for line in scene.lines()]
    assert last.errors == verdicts.count("error")
    assert last.verdicts == {verdict: verdicts.count(verdict) for verdict in last.verdicts}
    assert f"{last.total}/{last.total} cells (100.0%)" in scene.said
    for name, value in scene.settings.environment(scene.url).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit):
        main(["status", "--json"])
    (shown,) = json.loads(capsys.readouterr().out)["batches"]
    assert shown == last.model_dump(mode="json")


def test_cell_that_ends_its_worker_takes_no_other_with_it(scene: Scene, start_worker: StartWorker) -> None:
    """The list it is in fails three times; then its cells are asked one by one, and only that one is an error."""
    start_worker(scene.settings)
    deadly = {"num_parameters": 13_000_000_000, "request": {"metadata": {"dies": True}}}
    models = [{"num_parameters": number * 10**9} for number in range(1, 12)]
    catalog = {"models": [*models, deadly], "gpus": ["GeForce RTX 3090"], "weight_formats": ["bf16"]}
    with scene.start(str(scene.catalog(catalog)), "--results", str(scene.results)) as batch:
        assert batch.wait(END_SECONDS) == 0
    answers = {value["cell"]: value["answer"] for value in map(json.loads, scene.lines())}
    assert [number for number, answer in answers.items() if answer["status"] == "error"] == [11]
    assert answers[11]["error"]["code"] == "internal"
    assert len(answers) == 12


def test_queue_that_takes_nothing_is_waited_for(
    scene: Scene, start_worker: StartWorker, redis: Redis, keys: Keys
) -> None:
    """Back-pressure holds a batch up, and does not end it."""
    redis.set(keys.intake, json.dumps({"reason": "memory", "retry_after": 1}))
    with scene.begin() as batch:
        assert eventually(lambda: {look.state for look in looks(redis, keys)} == {"waiting"}, within=READY_SECONDS)
        redis.delete(keys.intake)
        start_worker(scene.settings)
        assert batch.wait(END_SECONDS) == 0
    assert scene.lines()


def looks(redis: Redis, keys: Keys) -> list[BatchProgress]:
    """What was told of the batch until now."""
    entries = cast("list[tuple[str, dict[str, str]]]", redis.xrange(keys.progress))
    return [BatchProgress.model_validate_json(fields["body"]) for _, fields in entries]


def test_batch_without_workers_is_left_for_later(scene: Scene) -> None:
    """Nobody answers: it ends with how to go on, exit status 3, and can be gone on with."""
    with scene.start(str(scene.catalog(CATALOG)), "--results", str(scene.results), "--patience", "2") as batch:
        assert batch.wait(END_SECONDS) == 3
    assert f"weighbridge batch --resume {scene.batch()}" in scene.said
    assert "no answer came for 2 s" in scene.said


@pytest.fixture
def own_scene(own_server: EmbeddedServer, tmp_path: Path) -> Iterator[Scene]:
    """A queue on a server that may be killed."""
    large = {**CATALOG, "gpus": [{"architecture": ["ampere", "hopper"]}]}
    own = Scene(folder=tmp_path, settings=settings_for(tmp_path / "home"), url=own_server.url, models=large)
    yield own
    own.end()


@pytest.fixture
def own_worker(own_scene: Scene) -> Iterator[ScriptedWorker]:
    """A worker of it."""
    with ExitStack() as ended:
        worker = ScriptedWorker(own_scene.settings, own_scene.url).start()
        ended.callback(lambda: assert_gone(worker.pid))
        ended.callback(worker.kill)
        yield worker


@dataclass
class Chaos:
    """Ends one thing after the other, each when so many cells are done."""

    scene: Scene
    server: EmbeddedServer
    worker: ScriptedWorker
    batch: "subprocess.Popen[bytes]"
    begun: int = 0
    """Where that process began to say something."""

    def resume(self) -> None:
        """Goes on in another process."""
        self.begun = len(self.scene.said)
        self.batch = self.scene.start("--resume", self.scene.batch())

    def has_come_to(self, cells: int) -> bool:
        """Whether so many cells are done, or all of them."""
        return len(self.scene.lines()) >= cells or self.batch.poll() == 0

    def client_is_killed(self) -> None:
        """As a machine that fails would."""
        self.batch.kill()
        self.batch.wait()
        self.resume()

    def client_is_interrupted(self) -> None:
        """Ctrl-C."""
        assert eventually(lambda: "results in" in self.scene.said[self.begun :], within=READY_SECONDS)
        self.batch.send_signal(signal.SIGINT)
        assert self.batch.wait(READY_SECONDS) in {130, 0}
        self.resume()

    def worker_is_killed(self) -> None:
        """With its pool; another is started."""
        self.worker.kill()
        self.worker.start()

    def server_is_killed(self) -> None:
        """What it had not written yet is lost; it comes back where it was."""
        os.kill(self.server.pid, signal.SIGKILL)
        assert eventually(lambda: not self.server.is_running(), within=10)
        self.server.start()

    def results_are_torn(self) -> None:
        """As by a machine that lost its power: the client is killed, and the end of its last line is gone."""
        self.batch.kill()
        self.batch.wait()
        with self.scene.results.open("rb+") as file:
            file.truncate(max(0, file.seek(0, os.SEEK_END) - 700))
        self.resume()


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.timeout(240)
def test_whatever_is_killed_the_table_is_the_same(
    own_scene: Scene, own_server: EmbeddedServer, own_worker: ScriptedWorker, seed: int
) -> None:
    """Client, worker and server are killed at random moments; resumed, the table is that of an undisturbed run."""
    chosen = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    chaos = Chaos(own_scene, own_server, own_worker, own_scene.begin())
    events: list[Callable[[], None]] = [
        chaos.client_is_killed,
        chaos.worker_is_killed,
        chaos.server_is_killed,
        chaos.client_is_interrupted,
        chaos.results_are_torn,
    ]
    chosen.shuffle(events)
    total = 1200
    for moment, event in zip(sorted(chosen.randrange(total) for _ in events), events, strict=True):
        assert eventually(partial(chaos.has_come_to, moment), within=END_SECONDS)
        event()
    assert chaos.batch.wait(END_SECONDS) == 0, own_scene.said
    lines = own_scene.lines()
    assert sorted(json.loads(line)["cell"] for line in lines) == list(range(len(lines)))
    assert len(lines) > total
    assert sorted(lines) == sorted(undisturbed(lines))
