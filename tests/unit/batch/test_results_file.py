"""The results file: what is on a line, what is counted, and what a kill leaves behind."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.cells import cells
from batch.line import answered, head, is_internal, outcome
from batch.results_file import ResultsFile, UnwritableResultsError
from batch.results_reader import in_order, read_lines
from schemas.errors import InvalidRequestError, WeighbridgeError
from schemas.recommendation import ErrorAnswer

from .answers import decoded, line_of, results_file
from .catalogs import planned

CATALOG = {
    "models": ["Qwen/Qwen3-8B", "nobody/nothing"],
    "gpus": ["GeForce RTX 3090", "H100 SXM5 80GB"],
    "weight_formats": ["as-published", "fp8"],
}


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """The eight lines of a small catalogue."""
    return [line_of(cell) for cell in cells(planned(tmp_path, CATALOG))]


def error_line(cell: int, label: str, code_of: WeighbridgeError) -> str:
    """A line whose answer is an error."""
    answer = ErrorAnswer.of(f"cell-{cell}", code_of).model_dump_json()
    return f"{head(cell, label, {'weight_format': 'fp8'})}{answer}}}\n"


def test_line_is_read_without_decoding_its_answer(lines: list[str]) -> None:
    """Number, format, verdict or code, and versions are those of the JSON."""
    for line in lines:
        told, value = outcome(line), json.loads(line)
        assert told is not None
        answer = value["answer"]
        assert told.cell == value["cell"]
        assert told.weight_format == value["request"].get("weight_format", "as-published")
        assert told.verdict == answer.get("verdict")
        assert told.code == answer.get("error", {}).get("code")
        assert (json.loads(told.versions) if told.versions else None) == answer.get("versions")
        assert answered(line[line.index('{"request_id"') :]) == value["cell"]


LABELS = st.text(st.characters(exclude_categories=()), max_size=40)
"""With halves of characters, which JSON can spell."""


@given(label=LABELS, text=LABELS)
def test_whatever_a_model_is_called_its_line_is_read(label: str, text: str) -> None:
    """Quotes, backslashes, line breaks and what looks like an answer do not break a line."""
    hostile = label + '","request":{},"answer":{"request_id":"cell-9","status":"ok","verdict":"fits"' + text
    error = InvalidRequestError(text or "wrong")
    line = error_line(3, hostile, error)
    told = outcome(line)
    assert line.encode().count(b"\n") == 1
    assert told is not None
    assert (told.cell, told.verdict, told.code) == (3, None, "invalid_request")
    assert json.loads(line)["model"] == hostile


def test_versions_in_metadata_are_nobodys() -> None:
    """What a request's metadata calls versions is not taken for the answer's."""
    asked: dict[str, Any] = {"metadata": {"versions": {"weighbridge": "forged"}}}
    answer = '{"request_id":"cell-0","status":"ok","verdict":"fits","per_gpu":{},"versions":{"weighbridge":"0.1"},'
    line = head(0, "m", asked) + answer + '"metadata":{"versions":{"weighbridge":"forged"}}}}\n'
    told = outcome(line)
    assert told is not None
    assert told.versions == '{"weighbridge":"0.1"}'


def test_internal_errors_are_told_from_others() -> None:
    """They may be the fault of a neighbour in the list."""
    assert is_internal(ErrorAnswer.of("cell-1", WeighbridgeError("it ended its process")).model_dump_json())
    assert not is_internal(ErrorAnswer.of("cell-1", InvalidRequestError("wrong")).model_dump_json())


def test_counts_follow_the_lines(tmp_path: Path, lines: list[str]) -> None:
    """By verdict, code, format and versions, as counted by hand from the JSON."""
    with ResultsFile(tmp_path / "r.jsonl", 8) as results:
        for number, line in enumerate(lines):
            results.add(number, line)
        tally = results.tally
    verdicts = [json.loads(line)["answer"].get("verdict", "error") for line in lines]
    assert tally.done == 8
    assert {verdict: verdicts.count(verdict) for verdict in set(verdicts)} == dict(tally.verdicts)
    assert tally.errors == 4
    assert dict(tally.codes) == {"unknown_model": 4}
    assert {name: counts.total() for name, counts in tally.formats.items()} == {"as-published": 4, "fp8": 4}
    assert list(tally.versions.values()) == [4]


@pytest.mark.parametrize("cut", range(0, 900, 37))
def test_file_that_was_torn_is_gone_on_with(tmp_path: Path, lines: list[str], cut: int) -> None:
    """Wherever it ends, whole lines count, a torn one is asked again, and the table is the same in the end."""
    path = tmp_path / "r.jsonl"
    whole = "".join(lines)
    path.write_text(whole[: len(whole) - cut])
    with ResultsFile(path, 8) as results:
        left = [number for number in range(8) if not results.has(number)]
        assert len(left) >= (1 if cut else 0)
        for number in left:
            results.add(number, lines[number])
    assert path.read_text() == whole


@pytest.mark.parametrize("broken", ["\0" * 200 + "\n", '{"cell":1}\n', "\n", "no JSON\n"])
def test_what_stands_behind_a_broken_line_is_asked_again(tmp_path: Path, lines: list[str], broken: str) -> None:
    """A crash of the machine may leave a hole."""
    path = tmp_path / "r.jsonl"
    path.write_text("".join([*lines[:3], broken, *lines[4:]]))
    with ResultsFile(path, 8) as results:
        assert [results.has(number) for number in range(8)] == [True] * 3 + [False] * 5
        assert results.tally.done == 3
    assert path.read_text() == "".join(lines[:3])


def test_no_cell_has_two_lines(tmp_path: Path, lines: list[str]) -> None:
    """A line that stands there twice, or is of another batch, ends what counts."""
    path = tmp_path / "r.jsonl"
    path.write_text("".join([*lines[:2], lines[1], *lines[2:]]))
    with ResultsFile(path, 8) as results:
        assert results.tally.done == 2
    path.write_text("".join(lines))
    with ResultsFile(path, 5) as results:
        assert results.tally.done == 5


def test_only_a_cells_own_line_is_taken(tmp_path: Path, lines: list[str]) -> None:
    """What is no line of that cell is a fault of ours, and is not written."""
    with ResultsFile(tmp_path / "r.jsonl", 8) as results, pytest.raises(ValueError, match="no line of cell 1"):
        results.add(1, lines[0])
    assert (tmp_path / "r.jsonl").read_text() == ""


def test_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """With the file's name."""
    with pytest.raises(UnwritableResultsError, match="Is a directory"):
        ResultsFile(tmp_path, 8)


def test_table_is_read_in_the_order_of_cells(tmp_path: Path, lines: list[str]) -> None:
    """Whoever answered first; an unfinished one too."""
    path = tmp_path / "r.jsonl"
    path.write_text("".join(lines[number] for number in (5, 0, 7, 2)))
    assert [line["cell"] for line in in_order(path)] == [0, 2, 5, 7]
    assert sorted(decoded(path), key=lambda line: int(line["cell"])) == list(in_order(path))


def test_file_that_is_none_is_told_by_line(tmp_path: Path) -> None:
    """Name and number."""
    path = results_file(tmp_path / "r.jsonl", cells(planned(tmp_path, CATALOG)))
    path.write_text(path.read_text() + "{}\n")
    with pytest.raises(InvalidRequestError, match=r"r\.jsonl:9: no line of a batch's results"):
        list(read_lines(path))
    with pytest.raises(InvalidRequestError, match="No such file"):
        list(read_lines(tmp_path / "missing"))
