"""The matrix as a browser shows it."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from schemas.vocabulary import VERDICTS
from sizing.catalog.formats import load_formats
from tests.results import FORMATS, GPUS, MODELS, plain_lines

from .conftest import Open, Report, made

GIB = 2**30
MINUS = "\N{MINUS SIGN}"


def cell(page: Page, model: str, gpu: str) -> Locator:
    """The cell of a model and a GPU, whatever it says."""
    return page.get_by_role("gridcell", name=f"{model} on {gpu}:")


def best(report: Report, model: str, gpu: str) -> dict[str, Any]:
    """The answer that the page should choose, by the words of its explanation."""
    answers = [report.answer(model, gpu, each) for each in FORMATS]
    levels = ("native", "emulated", "unsupported")

    def rank(answer: dict[str, Any]) -> tuple[int, int, int, int]:
        verdict, missing = VERDICTS.index(answer["verdict"]), -answer["per_gpu"]["headroom_bytes"]
        if answer["verdict"] == "does_not_fit":
            return verdict, 0, 0, missing
        level = max(levels.index(each["level"]) for each in answer["support"].values())
        bits = load_formats().weights[answer["model"]["weight_format"]].bits
        return verdict, level, -bits, missing

    return min((each for each in answers if each["status"] == "ok"), key=rank)


def test_each_cell_shows_the_best_variant_of_its_pair(open_report: Open, plain: Report) -> None:
    """Verdict, format and headroom of every cell are those of the answer that the explanation says is best."""
    page = open_report(plain).page
    for model in MODELS:
        for gpu in GPUS:
            answer = best(plain, model, gpu)
            name = answer["deployment"]["gpu"]
            shown = cell(page, model, name)
            expect(shown).to_have_attribute("data-verdict", answer["verdict"])
            expect(shown.locator(".sign")).to_contain_text(answer["model"]["weight_format"])
            headroom = answer["per_gpu"]["headroom_bytes"] / GIB
            told = float(shown.locator(".room").inner_text().replace(MINUS, "-"))
            assert headroom - 0.1 <= told <= headroom


def test_the_counts_of_verdicts_are_those_of_the_cells(open_report: Open, plain: Report) -> None:
    """Beside each verdict stands how many pairs have it, and together they are all pairs."""
    page = open_report(plain).page
    expected = [best(plain, model, gpu)["verdict"] for model in MODELS for gpu in GPUS]
    for verdict in VERDICTS:
        button = page.locator(f"button.verdict[data-verdict={verdict}] b")
        expect(button).to_have_text(str(expected.count(verdict)))


def test_a_format_that_is_filtered_out_is_no_candidate(open_report: Open, plain: Report) -> None:
    """With awq-int4 alone left in, every cell shows awq-int4, and what the others were is gone from the counts."""
    page = open_report(plain).page
    page.get_by_role("button", name="Weight format").click()
    page.get_by_role("checkbox", name="awq-int4").check()
    signs = page.locator("[role=gridcell] .sign").all_inner_texts()
    assert len(signs) == len(MODELS) * len(GPUS)
    assert all("awq-int4" in sign or sign == "!" for sign in signs)
    expect(page.locator("#shown")).to_contain_text("from 16 cells")
    page.get_by_role("button", name="Reset all").click()
    expect(page.locator("#shown")).to_contain_text("from 48 cells")


def test_a_verdict_leaves_in_the_pairs_that_have_it(open_report: Open, plain: Report) -> None:
    """What has another verdict is empty, and rows and columns without any are gone."""
    page = open_report(plain).page
    page.locator("button.verdict[data-verdict=does_not_fit]").click()
    left = {element.get_attribute("data-verdict") for element in page.locator("[role=gridcell]").all()}
    assert left <= {"does_not_fit", "not_asked"}
    rows = page.locator("[role=rowheader]").count()
    wanted = {model for model in MODELS for gpu in GPUS if best(plain, model, gpu)["verdict"] == "does_not_fit"}
    assert rows == len(wanted)


def test_a_word_is_looked_for_among_models_and_gpus(open_report: Open, plain: Report) -> None:
    """Each word narrows the side on which it is found; one that is found nowhere leaves nothing."""
    page = open_report(plain).page
    search = page.get_by_role("searchbox")
    search.fill("qwen h100")
    expect(page.locator("[role=rowheader]")).to_have_count(2)
    expect(page.locator(".head")).to_have_count(1)
    search.fill("qwen nonesuch")
    expect(page.get_by_text("Nothing is left by these filters.")).to_be_visible()


def test_generations_and_families_narrow_columns_and_rows(open_report: Open, plain: Report) -> None:
    """A generation leaves its GPUs, a family its models."""
    page = open_report(plain).page
    page.get_by_role("button", name="GPU generation").click()
    page.get_by_role("checkbox", name="pascal").check()
    expect(page.locator(".head .name")).to_have_text(["Tesla P40"])
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Model family").click()
    page.get_by_role("checkbox", name="llama").check()
    expect(page.locator("[role=rowheader] .name")).to_have_text(["Llama-3.1-70B-Instruct"])


def test_other_axes_are_filters_too(open_report: Open, varied: Report) -> None:
    """What the requests differ in can be filtered by: engine, length, sequences, type of the kv cache."""
    page = open_report(varied).page
    for name in ("Engine", "Sequence length", "Sequences at once", "KV cache type", "Weight format"):
        expect(page.locator("#tools").get_by_role("button", name=name)).to_be_visible()
    page.get_by_role("button", name="Sequence length").click()
    page.get_by_role("checkbox", name="32,768").check()
    expect(page.locator("#shown")).to_contain_text("from 2 cells")


def test_an_address_is_a_view(open_report: Open, plain: Report) -> None:
    """What the address says after its hash opens as it was: filters, search, order, view, panel, language."""
    first = open_report(plain).page
    first.get_by_role("button", name="Weight format").click()
    first.get_by_role("checkbox", name="fp8").check()
    first.keyboard.press("Escape")
    first.get_by_role("searchbox").fill("qwen")
    first.get_by_label("Order of models").select_option("size")
    first.locator("[role=gridcell]").first.click()
    title = first.locator("#panel-title").inner_text()
    first.get_by_role("button", name="中文").click()
    expect(first).to_have_url(re.compile("lang=zh"))
    address = str(first.evaluate("location.hash"))
    second = open_report(plain, address).page
    expect(second.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(second.get_by_role("searchbox")).to_have_value("qwen")
    expect(second.locator("#order-rows")).to_have_value("size")
    expect(second.locator("#panel-title")).to_have_text(title)
    assert set(second.locator("[role=gridcell] .sign").all_inner_texts()) == set(
        first.locator("[role=gridcell] .sign").all_inner_texts()
    )


def test_an_address_of_things_that_are_not_there_opens_all_the_same(open_report: Open, plain: Report) -> None:
    """Names, values and views that the report has not are left out."""
    page = open_report(plain, "#view=nothing&open=nobody&on=nowhere&f.weight_format=%22q%22&f.x=1&pick=-3&lang=fr").page
    expect(page.locator("[role=gridcell]")).to_have_count(len(MODELS) * len(GPUS))
    expect(page.locator("#panel")).to_be_hidden()


@pytest.mark.parametrize("view", ["matrix", "model", "gpu"])
def test_a_report_of_nothing_opens(open_report: Open, tmp_path: Path, view: str) -> None:
    """Results without a line make a page that says so in every view."""
    page = open_report(made([], tmp_path, title="Nothing"), f"#view={view}").page
    expect(page.get_by_text("Nothing is left by these filters.")).to_be_visible()


def test_versions_that_differ_are_noted(open_report: Open, tmp_path: Path) -> None:
    """Cells of several versions come with a note that lists them, and one on rules that are not those installed."""
    lines = plain_lines()[:6]
    lines[0]["answer"]["versions"]["rules"] = "sha256:" + "0123456789abcdef" * 4
    page = open_report(made(lines, tmp_path, title="Two versions")).page
    notices = page.locator("#about .notice")
    expect(notices).to_have_count(2)
    expect(notices.first).to_contain_text("These cells come from 2 versions")
    expect(notices.first.locator("li")).to_have_count(2)
    expect(notices.first).to_contain_text("01234567")


def test_a_narrow_window_scrolls_and_overlaps_nothing(open_report: Open, plain: Report) -> None:
    """At 360 pixels the page is no wider than its window, and a cell can be opened and closed."""
    page = open_report(plain, viewport={"width": 360, "height": 640}).page
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator("[role=gridcell]").first.click()
    expect(page.locator("#panel-title")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#panel")).to_be_hidden()
