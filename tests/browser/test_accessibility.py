"""axe-core finds nothing serious, in any view, theme and language."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from .conftest import Open, Report

VIEWS = {
    "matrix": "#view=matrix",
    "panel": "#open=Qwen/Qwen3-8B&on=GeForce+RTX+3090",
    "model": "#view=model&model=Qwen/Qwen3-8B",
    "gpu": "#view=gpu&gpu=GeForce+RTX+3090",
}


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh", "dark")])
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_serious_fault(open_report: Open, varied: Report, view: str, lang: str, theme: str) -> None:
    """Roles, names and contrast are in order, in each language and in each theme."""
    page = open_report(varied, f"{VIEWS[view]}&lang={lang}", color_scheme=theme).page
    found = Axe().run(page).response["violations"]
    assert [
        (each["id"], each["impact"], [node["target"] for node in each["nodes"]][:3])
        for each in found
        if each["impact"] in ("serious", "critical")
    ] == []


def test_an_open_filter_has_no_serious_fault(open_report: Open, plain: Report) -> None:
    """The values of a filter are labelled and can be read."""
    page = open_report(plain).page
    page.get_by_role("button", name="GPU generation").click()
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
