"""Answers to cells as workers give them, and results files made of them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from batch.cells import Cell
from batch.line import head
from rules.recommend import answer, encode


def answer_to(request: Mapping[str, Any]) -> str:
    """The real answer, in this process."""
    return encode(answer(dict(request)))


def line_of(cell: Cell) -> str:
    """The line of a cell with its real answer."""
    asked = cell.asked()
    request = {"request_id": f"cell-{cell.number}", "model": cell.entry.model, **asked}
    return f"{head(cell.number, cell.entry.label, asked)}{answer_to(request)}}}\n"


def results_file(path: Path, all_cells: Iterable[Cell]) -> Path:
    """A results file with the real answers to ``all_cells``."""
    path.write_text("".join(map(line_of, all_cells)))
    return path


def decoded(path: Path) -> list[dict[str, Any]]:
    """The lines of a results file."""
    return [json.loads(line) for line in path.read_text().splitlines()]
