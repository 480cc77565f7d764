"""Running a batch with answerers who lose, repeat, refuse and fail as a script says."""

import resource
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from batch import run as running
from batch.cells import count
from batch.crew import Handed
from batch.plan import Plan
from batch.results_file import ResultsFile, UnwritableResultsError
from batch.run import Run
from schemas.errors import InvalidRequestError, QueueFullError, UnavailableError, WeighbridgeError
from schemas.recommendation import ErrorAnswer

from .catalogs import planned

CELLS = 250


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here is worth waiting for."""
    monkeypatch.setattr(running, "AWAY_SECONDS", 0.0)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """As many cells as three lists hold."""
    models = [{"num_parameters": number} for number in range(1, CELLS + 1)]
    told = planned(tmp_path, {"models": models, "gpus": ["GeForce RTX 3090"], "weight_formats": ["bf16"]})
    assert count(told) == CELLS
    return told


@dataclass(kw_only=True)
class Scripted:
    """Answers with errors, which are quick to make, after what the script does to each list."""

    script: Callable[["Scripted", str, int], str] = lambda *_: "answer"
    """Told the list and how often it came; says what becomes of it."""
    lists: int = 4
    came: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)
    longest: int = 0
    most_in_hand: int = 0
    ready: deque[Handed] = field(default_factory=deque)

    def room(self) -> int:
        """As told."""
        return self.lists

    def send(self, list_id: str, requests: Sequence[Mapping[str, Any]]) -> None:
        """Does what the script says."""
        self.came[list_id] += 1
        self.longest = max(self.longest, len(requests))
        what = self.script(self, list_id, self.came[list_id])
        if what == "full":
            raise QueueFullError("full", retry_after_seconds=0)
        if what == "away":
            raise UnavailableError("away")
        if what == "lost":
            return
        ids = [str(request["request_id"]) for request in requests]
        self.asked.update(ids)
        told = Handed(answers=[self._answer(each, what) for each in ids], alone=len(ids) == 1)
        self.ready.append(told)
        self.most_in_hand = max(self.most_in_hand, len(self.ready))
        if what.endswith("twice"):
            self.ready.append(told)
        if what == "answered, and away":
            raise UnavailableError("the connection broke")

    @staticmethod
    def _answer(request_id: str, what: str) -> str:
        error = WeighbridgeError("it failed") if what.startswith("internal") else InvalidRequestError("scripted")
        return ErrorAnswer.of(request_id, error).model_dump_json()

    def take(self, seconds: float) -> Sequence[Handed]:  # noqa: ARG002 - nothing comes later
        """The next list's answers."""
        return [self.ready.popleft()] if self.ready else []


def finished(plan: Plan, crew: Scripted, path: Path, **settings: float) -> Counter[int]:
    """How often each cell stands in the results when the batch is run to its end."""
    with ResultsFile(path, count(plan)) as results:
        told: list[str | None] = []
        Run(plan=plan, crew=crew, results=results, tell=told.append, **settings).finish()
        assert results.tally.done == count(plan)
    return Counter(int(line.split(":")[1].split(",")[0]) for line in path.read_text().splitlines())


def test_every_cell_is_asked_and_written_once(plan: Plan, tmp_path: Path) -> None:
    """In lists of a hundred."""
    crew = Scripted()
    assert finished(plan, crew, tmp_path / "r") == Counter(range(CELLS))
    assert set(crew.asked.values()) == {1}
    assert crew.longest == 100


def test_no_more_is_in_hand_than_there_is_room_for(tmp_path: Path) -> None:
    """Memory is bounded by the room, whatever the catalogue is."""
    models = [{"num_parameters": number} for number in range(1, 2001)]
    plan = planned(tmp_path, {"models": models, "gpus": ["GeForce RTX 3090"], "weight_formats": ["bf16"]})
    crew = Scripted(lists=3)
    finished(plan, crew, tmp_path / "r")
    assert crew.most_in_hand == 3


SCRIPTS: Mapping[str, Callable[[Scripted, str, int], str]] = {
    "answers come twice": lambda *_: "twice",
    "each list is lost once": lambda _, __, came: "lost" if came == 1 else "answer",
    "the queue is full at first": lambda crew, _, __: "full" if crew.came.total() < 5 else "answer",
    "the server is away at first": lambda crew, _, __: "away" if crew.came.total() < 5 else "answer",
    "it is sent, and the connection breaks": lambda _, __, came: "answered, and away" if came == 1 else "answer",
    "now this, now that": lambda crew, _, came: (
        ["lost", "full", "away", "twice", "answer"][crew.came.total() * 7 % 5] if came < 4 else "answer"
    ),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=list(SCRIPTS))
def test_nothing_is_lost_and_nothing_stands_there_twice(
    plan: Plan, tmp_path: Path, script: Callable[[Scripted, str, int], str]
) -> None:
    """Whatever becomes of lists on the way."""
    crew = Scripted(script=script)
    assert finished(plan, crew, tmp_path / "r", resend_seconds=0.0) == Counter(range(CELLS))


def test_cell_that_failed_with_its_list_is_asked_again_alone(plan: Plan, tmp_path: Path) -> None:
    """A neighbour may have ended the process; alone, what is said of it is final."""
    crew = Scripted(script=lambda crew, _, __: "internal" if crew.came.total() == 1 else "answer")
    assert finished(plan, crew, tmp_path / "r") == Counter(range(CELLS))
    assert '"code":"internal"' not in (tmp_path / "r").read_text()
    assert Counter(crew.asked.values()) == {2: 100, 1: 150}
    told_twice = Scripted(script=lambda crew, _, __: "internal twice" if crew.came.total() == 1 else "answer")
    assert finished(plan, told_twice, tmp_path / "t") == Counter(range(CELLS))
    assert '"code":"internal"' not in (tmp_path / "t").read_text()
    poisoned = Scripted(script=lambda *_: "internal")
    assert finished(plan, poisoned, tmp_path / "p") == Counter(range(CELLS))
    assert (tmp_path / "p").read_text().count('"code":"internal"') == CELLS
    assert set(poisoned.asked.values()) == {2}


def test_only_what_is_missing_is_asked_when_it_is_resumed(plan: Plan, tmp_path: Path) -> None:
    """What was written before the end stands."""
    path = tmp_path / "r"
    finished(plan, Scripted(), path)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:120]) + lines[120][:40])
    crew = Scripted()
    assert finished(plan, crew, path) == Counter(range(CELLS))
    assert crew.asked.total() == CELLS - 120


def test_patience_ends(plan: Plan, tmp_path: Path) -> None:
    """With a server that stays away, or answers that never come, the batch is left for later and says why."""
    for script, why in (("away", "^away$"), ("lost", "no answer came")):
        crew = Scripted(script=partial(said, script))
        with ResultsFile(tmp_path / script, CELLS) as results:
            run = Run(plan=plan, crew=crew, results=results, tell=lambda _: None, patience_seconds=0.05)
            with pytest.raises(UnavailableError, match=why):
                run.finish()


def said(what: str, *_: object) -> str:
    """The same of every list."""
    return what


def test_list_that_is_never_answered_holds_up_no_other(plan: Plan, tmp_path: Path) -> None:
    """All else is written before the patience with it ends, and it is sent ever more seldom."""
    crew = Scripted(script=lambda crew, each, _: "lost" if each == next(iter(crew.came)) else "answer")
    with ResultsFile(tmp_path / "r", CELLS) as results:
        run = Run(plan=plan, crew=crew, results=results, tell=lambda _: None, resend_seconds=0.01, patience_seconds=0.5)
        with pytest.raises(UnavailableError, match="no answer came"):
            run.finish()
        assert results.tally.done == CELLS - 100
    assert 2 <= crew.came[next(iter(crew.came))] <= 7


def test_what_is_the_matter_is_told(plan: Plan, tmp_path: Path) -> None:
    """Whoever looks on learns why nothing goes on, and that it goes on."""
    told: list[str | None] = []
    crew = Scripted(script=SCRIPTS["the server is away at first"])
    with ResultsFile(tmp_path / "r", CELLS) as results:
        Run(plan=plan, crew=crew, results=results, tell=told.append).finish()
    assert told[0] == "away"
    assert told[-1] is None


def test_cell_that_no_message_could_hold_is_answered_here(tmp_path: Path) -> None:
    """A config beyond the bound of a message is an error of its cell alone."""
    huge = {"config": {f"field_{number}": "x" * 15_000 for number in range(40)}, "label": "huge"}
    plan = planned(tmp_path, {"models": [huge, {"num_parameters": 1}], "gpus": ["GeForce RTX 3090"]})
    crew = Scripted()
    assert finished(plan, crew, tmp_path / "r") == Counter(range(2))
    assert crew.asked.total() == 1
    assert "more than 524288" in (tmp_path / "r").read_text().splitlines()[0]


def test_lists_are_as_long_as_their_work(tmp_path: Path) -> None:
    """Alternatives count as requests, and configs by their length."""
    catalog: dict[str, Any] = {"models": [{"num_parameters": n} for n in range(1, 101)], "gpus": ["GeForce RTX 3090"]}
    crew = Scripted()
    finished(planned(tmp_path, {**catalog, "request": {"alternatives": 9}}), crew, tmp_path / "a")
    assert crew.longest == 10
    config = {"config": {f"field_{number}": "x" * 15_000 for number in range(10)}}
    crew = Scripted()
    formats = [str(number) for number in range(12)]
    finished(
        planned(tmp_path, {"models": [config], "gpus": ["GeForce RTX 3090"], "weight_formats": formats}),
        crew,
        tmp_path / "b",
    )
    assert crew.longest == 3


def test_disk_that_is_full_ends_the_run(plan: Plan, tmp_path: Path) -> None:
    """It is not taken for a server that is away; once there is room the batch is gone on with."""
    path = tmp_path / "r"
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    with ResultsFile(path, CELLS) as results:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, most))
        try:
            with pytest.raises(UnwritableResultsError, match="File too large"):
                Run(plan=plan, crew=Scripted(), results=results, tell=lambda _: None).finish()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))
    assert finished(plan, Scripted(), path) == Counter(range(CELLS))
