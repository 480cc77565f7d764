"""What is read of a results file, and what is refused."""

import json
import tracemalloc
from itertools import islice
from pathlib import Path

import pytest

from batch.report import write_report
from batch.report.result_line import read_result_lines
from batch.report.table import Table
from schemas.errors import InvalidRequestError
from tests.results import Line, a_request, plain_lines, weighed, write_results


@pytest.fixture
def good() -> Line:
    """A line that can be read."""
    return weighed(0, "Qwen/Qwen3-8B", a_request("L40S", "fp8"))


@pytest.mark.parametrize("bad", ["{", "[]", "null", '{"cell": 1}', '{"cell":1,"model":2,"request":{},"answer":{}}'])
def test_a_line_that_is_none_of_results_is_named(tmp_path: Path, good: Line, bad: str) -> None:
    """The error says which line of which file, and no page is written."""
    results = tmp_path / "results.jsonl"
    results.write_text(f"{json.dumps(good)}\n\n{bad}\n")
    with pytest.raises(InvalidRequestError, match=r"^results\.jsonl:3 "):
        write_report(results, tmp_path / "report.html", title="x")
    assert not (tmp_path / "report.html").exists()


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    """A line in another encoding is refused like any other that cannot be read."""
    results = tmp_path / "results.jsonl"
    results.write_bytes(b"\xff\xfe\n")
    with pytest.raises(InvalidRequestError, match=r"^results\.jsonl:1 "):
        list(read_result_lines(results))


def test_an_answer_whose_terms_do_not_add_up_is_refused(tmp_path: Path, good: Line) -> None:
    """The page would show other figures than the answer has."""
    good["answer"]["per_gpu"]["headroom_bytes"] += 1
    with pytest.raises(InvalidRequestError, match="do not add up"):
        list(read_result_lines(write_results(tmp_path / "results.jsonl", [good])))


def test_lines_are_read_as_they_are_asked_for(tmp_path: Path, good: Line) -> None:
    """The first cell is there before a later line is looked at."""
    results = tmp_path / "results.jsonl"
    results.write_text(f"{json.dumps(good)}\nnonsense\n")
    (first,) = islice(read_result_lines(results), 1)
    assert first.model == "Qwen/Qwen3-8B"


def test_what_is_held_of_many_cells_is_far_less_than_their_file(tmp_path: Path) -> None:
    """Cells that say what others said before add some hundred bytes each, of the five thousand they are written in."""
    lines = plain_lines()
    few, many = (write_results(tmp_path / f"{times}.jsonl", lines * times) for times in (2, 40))
    held = []
    for results in (few, many):
        table = Table(())
        tracemalloc.start()
        for line in read_result_lines(results):
            table.add(line)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert held[1] - held[0] < (many.stat().st_size - few.stat().st_size) / 8
