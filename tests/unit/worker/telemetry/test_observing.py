"""docs/observing.md, held against the code."""

import re
from pathlib import Path

import pytest

from worker.settings import Settings
from worker.telemetry.log_lines import ACTIONS, LOG_FIELDS

from .exposition import everything, metric_names

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "observing.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of the table whose head begins with ``heading``."""
    table = PAGE.partition(f"\n| {heading} |")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_metric_is_in_the_table_with_its_labels(tmp_path: Path) -> None:
    """The table has what is exposed, no more and no less."""
    exposition = everything(Settings(home=tmp_path))
    told = {name.strip("`"): set(re.findall(r"`(\w+)`", labels)) for name, labels, _ in rows("metric")}
    assert set(told) == metric_names(exposition)
    for name, labels in told.items():
        samples = re.findall(rf"^{name}(?:_count)?\{{(.*)\}} ", exposition, re.MULTILINE)
        assert labels == {label for each in samples for label in re.findall(r'(\w+)="', each)}, name


def test_every_metric_of_an_alert_is_exposed(tmp_path: Path) -> None:
    """An alert on what is not there would never tell."""
    (block,) = re.findall(r"```promql\n(.+?)```", PAGE, re.DOTALL)
    assert set(re.findall(r"weighbridge_\w+", block)) <= metric_names(everything(Settings(home=tmp_path)))


@pytest.mark.parametrize(("heading", "told"), [("field", LOG_FIELDS), ("action", ACTIONS)])
def test_tables_of_the_log_are_those_of_the_code(heading: str, told: dict[str, str]) -> None:
    """Fields and actions stand in the page as in the code, in the same order."""
    assert [(name.strip("`"), text) for name, text in rows(heading)] == list(told.items())
