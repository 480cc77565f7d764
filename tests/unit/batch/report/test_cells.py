"""Every cell of a results file is in its page, with the figures of its answer."""

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.report.columns import Codes, Figures, narrowed
from tests.results import a_request, plain_lines, weighed

from .conftest import MadePage


def _answered(made: MadePage) -> list[tuple[int, dict[str, Any]]]:
    return [(place, line["answer"]) for place, line in enumerate(made.lines) if line["answer"]["status"] == "ok"]


def test_every_cell_stands_in_its_row_and_column(made: MadePage) -> None:
    """Rows are called as the batch calls its models, columns as the catalogue calls the GPUs, with their count."""
    matrix = made.matrix
    assert matrix.head["cells"] == len(made.lines)
    for place, line in enumerate(made.lines):
        row = matrix.coded("row", matrix.head["rows"], place)
        column = matrix.coded("column", matrix.head["columns"], place)
        assert row["label"] == line["model"]
        if line["answer"]["status"] == "ok":
            deployment = line["answer"]["deployment"]
            assert (column["gpu"], column["count"]) == (deployment["gpu"], deployment["gpu_count"])
            assert column["memory_bytes"] == deployment["gpu_memory_bytes"]
            assert (row["family"], row["num_parameters"]) == (
                line["answer"]["model"]["family"],
                line["answer"]["model"]["num_parameters"],
            )


def test_the_terms_are_those_of_the_answer_to_the_byte(made: MadePage) -> None:
    """No figure of the need is rounded on its way into the page."""
    names = ("usable_bytes", "weights_bytes", "kv_cache_bytes", "activation_bytes", "overhead_bytes")
    for place, answer in _answered(made):
        assert {name: made.matrix.figure(name, place) for name in names} == {
            name: answer["per_gpu"][name] for name in names
        }


def test_what_the_panel_tells_is_the_answers(made: MadePage) -> None:
    """Range, what is outside the budget, counts of GPUs and sequences, evidence and settings are the answer's."""
    panel = made.panel
    for place, answer in _answered(made):
        told = {name: panel.figure(name, place) for name in ("low_bytes", "high_bytes", "fewest_gpus")}
        assert told == {**answer["range"], "fewest_gpus": answer["fewest_gpus"]}
        names = ("low_bytes", "needed_bytes", "high_bytes", "room_bytes")
        outside = {name: panel.figure(f"outside_{name}", place) for name in names}
        assert outside == (answer["outside_budget"] or dict.fromkeys(names))
        cache = answer["kv_cache"] or {"max_concurrency": None, "longest_max_model_len": None}
        assert made.matrix.figure("max_concurrency", place) == cache["max_concurrency"]
        assert panel.figure("longest_max_model_len", place) == cache["longest_max_model_len"]
        assert panel.coded("evidence", panel.head["evidence"], place) == answer["evidence"]
        assert panel.coded("deployment", panel.head["deployment"], place) == answer["deployment"]


def test_verdict_format_and_support_are_the_answers(made: MadePage) -> None:
    """What a cell is coloured and ranked by is what its answer says."""
    matrix = made.matrix
    for place, answer in _answered(made):
        assert matrix.coded("verdict", matrix.head["verdicts"], place) == answer["verdict"]
        assert matrix.coded("format", matrix.head["formats"], place)["name"] == answer["model"]["weight_format"]
        assert matrix.coded("support", matrix.head["supports"], place) == answer["support"]


def test_an_error_is_told_with_code_message_and_hint(made: MadePage) -> None:
    """A cell that could not be answered has no figure, and says why."""
    failed = [(place, line["answer"]) for place, line in enumerate(made.lines) if line["answer"]["status"] == "error"]
    assert {answer["error"]["code"] for _, answer in failed} >= {"unknown_gpu", "unknown_model", "invalid_request"}
    for place, answer in failed:
        assert made.matrix.coded("verdict", made.matrix.head["verdicts"], place) == "error"
        assert made.matrix.figure("weights_bytes", place) is None
        assert made.panel.coded("error", made.panel.head["error"], place) == answer["error"]


def test_the_alternatives_of_an_answer_are_told_as_it_has_them(made: MadePage) -> None:
    """Changes, arguments, reason and need of every alternative are in the page."""
    offered = 0
    for place, answer in _answered(made):
        text = made.panel.coded("offers", made.panel.head["offers"], place)
        told = json.loads(text)["alternatives"] if text else []
        assert [each["changes"] for each in told] == [each["changes"] for each in answer["alternatives"]]
        assert [each["arguments"] for each in told] == [each["arguments"] for each in answer["alternatives"]]
        assert [each["why"] for each in told] == [each["why"] for each in answer["alternatives"]]
        assert [each["total_bytes"] for each in told] == [
            each["per_gpu"]["total_bytes"] for each in answer["alternatives"]
        ]
        offered += len(told)
    assert offered


def test_what_cells_differ_in_is_an_axis_and_what_was_left_out_has_its_default(made: MadePage) -> None:
    """A field that some cells ask for and others do not has the contract's value in the others."""
    matrix = made.matrix
    axes = {axis["path"]: axis["values"] for axis in matrix.head["axes"]}
    assert set(axes) == {
        "engine.name",
        "kv_cache_dtype",
        "method",
        "weight_format",
        "workload.concurrent_sequences",
        "workload.max_model_len",
    }
    for place, line in enumerate(made.lines):
        asked = line["request"]
        told = {path: json.loads(matrix.coded(f"axis:{path}", values, place)) for path, values in axes.items()}
        assert told == {
            "engine.name": asked.get("engine", {}).get("name", "vllm"),
            "kv_cache_dtype": asked.get("kv_cache_dtype", "auto"),
            "method": asked.get("method"),
            "weight_format": asked.get("weight_format"),
            "workload.concurrent_sequences": asked.get("workload", {}).get("concurrent_sequences", 1),
            "workload.max_model_len": asked.get("workload", {}).get("max_model_len"),
        }


def test_what_all_cells_ask_for_alike_is_told_once(tmp_path: Path) -> None:
    """A field with one value is no axis: the head of the page says it."""
    lines = [
        weighed(cell, "Qwen/Qwen3-8B", a_request(gpu, "fp8", workload={"max_model_len": 4096}))
        for cell, gpu in enumerate(("L40S", "RTX 3090"))
    ]
    head = MadePage(lines, tmp_path).matrix.head
    assert head["axes"] == []
    assert head["fixed"] == {"weight_format": '"fp8"', "workload.max_model_len": "4096"}


def test_a_gpu_that_could_not_be_weighed_has_one_column_with_those_that_were(tmp_path: Path) -> None:
    """However an error's request spells its GPU, the cell stands in the column of that GPU."""
    lines = [
        weighed(0, "Qwen/Qwen3-8B", a_request("rtx3090", "bf16")),
        weighed(1, "nobody/nothing", a_request("NVIDIA GeForce RTX 3090", "bf16")),
    ]
    assert len(MadePage(lines, tmp_path).matrix.head["columns"]) == 1


def test_lines_may_come_in_any_order(made: MadePage, tmp_path: Path) -> None:
    """Shuffled lines make the same cells."""
    shuffled = random.Random(7).sample(made.lines, len(made.lines))  # noqa: S311 - not a secret
    other = MadePage(shuffled, tmp_path)
    for page in (made, other):
        assert sorted(_pair(page, place) for place in range(len(page.lines))) == sorted(
            _pair(made, place) for place in range(len(made.lines))
        )


def _pair(page: MadePage, place: int) -> tuple[str, str, int, str, str]:
    matrix = page.matrix
    column = matrix.coded("column", matrix.head["columns"], place)
    messages = str(page.panel.messages(place, "zh"))
    return (
        matrix.coded("row", matrix.head["rows"], place)["label"],
        column["gpu"],
        column["count"],
        str(matrix.figure("weights_bytes", place)),
        messages,
    )


@pytest.mark.parametrize("versions", [1, 2])
def test_the_versions_of_the_answers_are_counted(tmp_path: Path, versions: int) -> None:
    """The page knows how many cells each combination of versions has answered."""
    lines = plain_lines()[:4]
    if versions == 2:
        lines[0]["answer"]["versions"]["rules"] = "sha256:" + "0" * 64
    told = MadePage(lines, tmp_path).matrix.head["versions"]
    assert [each["cells"] for each in told] == ([4] if versions == 1 else [3, 1])


@given(
    st.lists(st.none() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False), max_size=40)
)
def test_a_column_of_figures_is_kept_exactly(values: list[float | None]) -> None:
    """However few or many of its figures are distinct, each cell has its own."""
    column = Figures()
    for value in values:
        column.add(value)
    arrays = column.arrays("figures")
    distinct = arrays["figures.figures"]
    read = [distinct[int(code)] for code in arrays["figures"]]
    assert [None if math.isnan(value) else value for value in read] == values


def test_many_distinct_figures_stand_as_they_are() -> None:
    """A column in which nearly every figure is another has no list of them beside it."""
    column = Figures()
    for value in range(70_000):
        column.add(value)
    assert list(column.arrays("a")) == ["a"]
    assert column.arrays("a")["a"][69_999] == 69_999


@pytest.mark.parametrize(("largest", "kind"), [(0, "B"), (255, "B"), (256, "H"), (65_535, "H"), (65_536, "I")])
def test_numbers_take_as_few_bytes_as_the_largest_needs(largest: int, kind: str) -> None:
    """A column is narrowed to one, two or four bytes, and says the same."""
    codes: Codes[int] = Codes()
    codes.cells.append(largest)
    assert narrowed(codes.cells).typecode == kind
    assert list(narrowed(codes.cells)) == [largest]
