"""One browser for the run, and reports that every test opens anew."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

from batch.report import write_report
from tests.results import Line, plain_lines, varied_lines, write_results

from .chromium import chromium, find_chromium


@dataclass(frozen=True)
class Report:
    """A page and the lines it was made of."""

    lines: list[Line]
    path: Path

    def answer(self, model: str, gpu: str, weight_format: str) -> dict[str, Any]:
        """The answer in the file itself, of the first such cell."""
        return next(
            line["answer"]
            for line in self.lines
            if line["model"] == model
            and line["request"]["hardware"]["gpu"] == gpu
            and line["request"].get("weight_format") == weight_format
        )


@dataclass
class Opened:
    """A page that is open, and everything it said or asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ready(self) -> "Opened":
        """The page once all of it is read."""
        self.page.wait_for_selector("body[data-ready=all]")
        return self


Open = Callable[..., Opened]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, where there is one; closed before other tests, since what drives it keeps an event loop running."""
    path = find_chromium()
    if path is None:
        pytest.skip("there is no Chromium on PATH: install it (chromium on Debian)")
    with chromium(path) as opened:
        yield opened


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Four models on four GPUs in three formats."""
    return made(plain_lines(), tmp_path_factory.mktemp("plain"), title="Four models on four GPUs")


@pytest.fixture(scope="session")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One model asked in many ways."""
    return made(varied_lines(), tmp_path_factory.mktemp("varied"), title="One model in many ways")


def made(lines: list[Line], folder: Path, *, title: str) -> Report:
    """The report of ``lines``."""
    write_report(write_results(folder / "results.jsonl", lines), folder / "report.html", title=title)
    return Report(lines=lines, path=folder / "report.html")


@pytest.fixture
def open_report(browser: Browser) -> Iterator[Open]:
    """Opens a report in a window of its own, and holds afterwards that it said no error and asked for nothing."""
    opened: list[tuple[Opened, Path]] = []

    def open_(report: Report, address: str = "", **settings: Any) -> Opened:  # noqa: ANN401 - Playwright's settings
        window = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", **settings}
        context = browser.new_context(**window)
        context.set_default_timeout(10_000)
        page = context.new_page()
        one = Opened(page)
        page.on("console", lambda message: one.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: one.said.append(str(error)))
        page.on("request", lambda request: one.requests.append(_address(request)))
        opened.append((one, report.path))
        page.goto(report.path.as_uri() + address)
        return one.ready()

    yield open_
    for one, path in opened:
        one.page.context.close()
        assert one.said == []
        assert one.requests == [path.as_uri()]


def _address(request: Request) -> str:
    return request.url.partition("#")[0]
