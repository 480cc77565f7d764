"""Processes of this machine that answer lists, real ones, killed for real."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batch import local_crew
from batch.cells import cells, count
from batch.local_crew import LocalCrew
from batch.results_file import ResultsFile
from batch.run import Run
from checkpoints.sources import NO_SOURCES
from schemas.errors import InvalidRequestError
from schemas.recommendation import ErrorAnswer

from .answers import line_of
from .catalogs import planned

CATALOG: dict[str, Any] = {
    "models": ["Qwen/Qwen3-8B", "openai/gpt-oss-20b"],
    "gpus": [{"gpu": "RTX *"}, {"gpu": "*H100*", "count": [1, 2]}],
    "weight_formats": ["bf16", "fp8"],
}
DEADLY = "deadly"


def deadly(requests: list[dict[str, Any]]) -> list[str]:
    """Ends its process where a request says so."""
    if any(request["model"] == {"path": DEADLY} for request in requests):
        os.kill(os.getpid(), signal.SIGKILL)
    error = InvalidRequestError("scripted")
    return [ErrorAnswer.of(str(request["request_id"]), error).model_dump_json() for request in requests]


@pytest.fixture
def crew() -> Iterator[LocalCrew]:
    """Two processes with the catalogue that comes with the project."""
    with LocalCrew(2, NO_SOURCES, None) as own:
        yield own


def run(crew: LocalCrew, folder: Path, catalog: dict[str, Any], tell: Callable[[str | None], None]) -> list[str]:
    """The lines of the results, sorted."""
    plan, path = planned(folder, catalog), folder / "results.jsonl"
    with ResultsFile(path, count(plan)) as results:
        Run(plan=plan, crew=crew, results=results, tell=tell).finish()
    return sorted(path.read_text().splitlines(keepends=True))


def test_killed_processes_are_replaced(crew: LocalCrew, tmp_path: Path) -> None:
    """Whichever is killed, the table is what the same cells come to in this process, byte for byte."""
    killed: list[int] = []

    def kill(_: str | None) -> None:
        for pid in list(crew._pool._processes)[:1]:
            if pid not in killed and len(killed) < 3:
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)

    lines = run(crew, tmp_path, CATALOG, kill)
    assert len(killed) == 3
    assert lines == sorted(map(line_of, cells(planned(tmp_path, CATALOG))))


def test_deadly_cell_takes_no_other_with_it(crew: LocalCrew, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is answered as internal; its neighbours in the list, and the lists in hand beside it, have their answers."""
    monkeypatch.setattr(local_crew, "_answers", deadly)
    monkeypatch.setattr(local_crew, "MAX_TRIES", 2)
    models = [{"path": str(number)} for number in range(150)]
    models[70] = {"path": DEADLY}
    lines = run(crew, tmp_path, {"models": models, "gpus": ["GeForce RTX 3090"]}, lambda _: None)
    internal = [line for line in lines if '"code":"internal"' in line]
    assert len(lines) == 150
    assert len(internal) == 1
    assert '"cell":70,' in internal[0]
