"""Small catalogues, and what is made of them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from batch.catalog_file import read_catalog_file
from batch.cells import Cell, cells
from batch.plan import Plan, plan
from schemas.catalog_file import CellFilter


def planned(folder: Path, catalog: Mapping[str, Any], **only: list[str]) -> Plan:
    """The plan of ``catalog``, written to a file of ``folder``; JSON is YAML too."""
    path = folder / "catalog.yaml"
    path.write_text(json.dumps(catalog))
    return plan(read_catalog_file(path), folder, CellFilter.model_validate(only))


def asked(catalog_plan: Plan) -> list[tuple[str, dict[str, Any]]]:
    """What each cell is called and asks."""
    return [(cell.entry.label, cell.asked()) for cell in cells(catalog_plan)]


def spelt(all_cells: Iterable[Cell]) -> list[str]:
    """Each cell in one word: GPU, count, weight format."""
    return [
        f"{gpu}x{count}:{weight_format or 'as-published'}"
        for (gpu, count), weight_format, *_ in (cell.coordinates for cell in all_cells)
    ]
