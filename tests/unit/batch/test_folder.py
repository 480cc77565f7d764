"""Where batches are kept."""

from pathlib import Path

import pytest

from batch import folder
from batch.plan import Plan
from schemas.errors import InvalidRequestError

from .catalogs import planned


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Any plan."""
    return planned(tmp_path, {"models": ["Qwen/Qwen3-8B"], "gpus": ["GeForce RTX 3090"]})


def test_batch_is_found_by_its_id(tmp_path: Path, plan: Plan) -> None:
    """With its plan and what was noted of it; the newest is listed first."""
    made = [
        folder.create(tmp_path, plan, catalog=name, total=1, results=None, local=name == "b") for name in ("a", "b")
    ]
    for each in made:
        assert folder.open_batch(tmp_path, each.note.batch) == each
        assert folder.results_of(tmp_path, each.note.batch) == tmp_path / "batches" / each.note.batch / "results.jsonl"
    assert {note.batch for note in folder.batches(tmp_path)} == {each.note.batch for each in made}
    assert [note.batch for note in folder.batches(tmp_path)] == sorted((each.note.batch for each in made), reverse=True)


@pytest.mark.parametrize("batch", ["20261126-000000-aaaaaa", "nonsense", "../../etc", ""])
def test_batch_that_is_not_there_is_told(tmp_path: Path, plan: Plan, batch: str) -> None:
    """With the newest, which may be the one that is meant."""
    with pytest.raises(InvalidRequestError) as caught:
        folder.open_batch(tmp_path, batch)
    assert caught.value.hint == "none was begun"
    made = folder.create(tmp_path, plan, catalog="a", total=1, results=None, local=False)
    with pytest.raises(InvalidRequestError) as caught:
        folder.open_batch(tmp_path, batch)
    assert made.note.batch in (caught.value.hint or "")


def test_batch_of_another_version_is_told(tmp_path: Path, plan: Plan) -> None:
    """Its plan may mean something else."""
    made = folder.create(tmp_path, plan, catalog="a", total=1, results=None, local=False)
    (made.path / "plan.json").write_text('{"cells": []}')
    with pytest.raises(InvalidRequestError, match="cannot go on from"):
        folder.open_batch(tmp_path, made.note.batch)


def test_batch_is_run_by_one_process_at_a_time(tmp_path: Path, plan: Plan) -> None:
    """Two would write each cell twice."""
    made = folder.create(tmp_path, plan, catalog="a", total=1, results=None, local=False)
    with made.held():
        again = folder.open_batch(tmp_path, made.note.batch)
        with pytest.raises(InvalidRequestError, match="another process"), again.held():
            pass
    with again.held():
        pass


def test_results_of_something_else_are_not_written_to(tmp_path: Path, plan: Plan) -> None:
    """A file that holds something is left alone."""
    taken = tmp_path / "taken.jsonl"
    taken.write_text("mine")
    with pytest.raises(InvalidRequestError, match="holds something already"):
        folder.create(tmp_path, plan, catalog="a", total=1, results=taken, local=False)
    assert folder.batches(tmp_path) == []
