"""The page on paper."""

from playwright.sync_api import expect

from tests.results import GPUS, MODELS

from .conftest import Open, Report


def test_the_matrix_is_printed_whole_and_without_controls(open_report: Open, plain: Report) -> None:
    """On paper every pair stands in a table with its sign, below title, versions and legend."""
    page = open_report(plain).page
    expected = page.locator("[role=gridcell] .sign").all_inner_texts()
    page.emulate_media(media="print")
    for hidden in ("#tools", "#views", "#languages", ".scroller"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator("#about")).to_contain_text("rules ")
    expect(page.locator("#paper")).to_contain_text("✓ fits")
    cells = page.locator("#paper td")
    assert cells.count() == len(MODELS) * len(GPUS)
    printed = [text.rsplit(" ", 1)[0] for text in cells.all_inner_texts()]
    assert sorted(printed) == sorted(expected)
    page.emulate_media(media="screen")
    expect(page.locator("#paper")).to_be_hidden()
    assert page.locator("#paper *").count() == 0


def test_paper_says_by_what_it_was_filtered(open_report: Open, plain: Report) -> None:
    """A filtered matrix names its filters, and has no other rows."""
    page = open_report(plain, "#q=qwen&f.weight_format=%22fp8%22").page
    page.emulate_media(media="print")
    expect(page.locator("#paper")).to_contain_text("Weight format = fp8")
    expect(page.locator("#paper tbody tr")).to_have_count(2)


def test_paper_is_white_in_a_dark_room(open_report: Open, plain: Report) -> None:
    """What is printed is black on white whatever the theme."""
    page = open_report(plain, color_scheme="dark").page
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.locator("#paper td").first.evaluate(
        "(cell) => [getComputedStyle(cell).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


def test_a_list_is_printed_as_it_is_shown(open_report: Open, plain: Report) -> None:
    """The rows of a list are on paper, without its chooser."""
    page = open_report(plain, "#view=gpu&gpu=L40S").page
    page.emulate_media(media="print")
    expect(page.locator(".list tbody tr")).to_have_count(len(MODELS))
    expect(page.locator(".list caption")).to_be_visible()
    expect(page.locator(".list-of")).to_be_hidden()
