"""Pages made once for all tests that only read them."""

from pathlib import Path

import pytest

from batch.report import write_report
from tests.results import Line, plain_lines, varied_lines, write_results

from .reading_pages import Block, read_page


class MadePage:
    """Lines and the page that was made of them."""

    def __init__(self, lines: list[Line], folder: Path, title: str = "Everything") -> None:
        self.lines = lines
        self.path = folder / "report.html"
        write_report(write_results(folder / "results.jsonl", lines), self.path, title=title)
        self.page = read_page(self.path)
        self.matrix = Block(self.page.scripts["matrix-data"])
        self.panel = Block(self.page.scripts["panel-data"])


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadePage:
    """A page of all kinds of cells."""
    return MadePage([*plain_lines(), *varied_lines()], tmp_path_factory.mktemp("report"))
