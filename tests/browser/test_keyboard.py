"""Everything can be reached and done with the keyboard."""

from playwright.sync_api import Page, expect

from tests.results import GPUS, MODELS

from .conftest import Open, Report
from .test_matrix import cell


def place(page: Page) -> tuple[int, int]:
    """Row and column of the focused cell, counted from 0; heads are -1."""
    row, column = page.evaluate("[document.activeElement.dataset.row, document.activeElement.dataset.column]")
    return int(row), int(column)


def test_arrows_and_their_like_move_in_the_matrix(open_report: Open, plain: Report) -> None:
    """One cell is in the order of tabs, and keys move from it to every other, and no farther than there are cells."""
    page = open_report(plain).page
    assert page.locator("#grid [tabindex='0']").count() == 1
    page.locator("#grid [tabindex='0']").focus()
    steps = {
        "ArrowRight": (0, 1),
        "ArrowDown": (1, 1),
        "End": (1, len(GPUS) - 1),
        "PageDown": (len(MODELS) - 1, len(GPUS) - 1),
        "ArrowLeft": (len(MODELS) - 1, len(GPUS) - 2),
        "PageUp": (0, len(GPUS) - 2),
        "Home": (0, 0),
        "ArrowUp": (-1, 0),
        "Control+End": (len(MODELS) - 1, len(GPUS) - 1),
        "Control+Home": (0, 0),
    }
    for key, expected in steps.items():
        page.keyboard.press(key)
        assert place(page) == expected, key
        assert page.locator("#grid [tabindex='0']").count() == 1
    page.keyboard.press("ArrowLeft")
    assert place(page) == (0, -1)
    page.keyboard.press("ArrowUp")
    assert place(page) == (0, -1)


def test_enter_opens_a_cell_and_escape_gives_the_focus_back(open_report: Open, plain: Report) -> None:
    """The panel has the focus while it is open; the cell has it again afterwards."""
    page = open_report(plain).page
    page.locator("#grid [tabindex='0']").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#panel [aria-pressed=true]")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert place(page) == (1, 1)


def test_a_panel_that_an_address_opens_leads_back_to_its_cell(open_report: Open, plain: Report) -> None:
    """The cell is in sight beside the panel, and has the focus once the panel is closed."""
    address = "#open=Qwen/Qwen3-8B&on=Tesla+P40"
    page = open_report(plain, address, viewport={"width": 1010, "height": 620}).page
    shown = cell(page, "Qwen/Qwen3-8B", "Tesla P40")
    expect(shown).to_be_in_viewport(ratio=0.9)
    page.keyboard.press("Escape")
    expect(shown).to_be_focused()


def test_a_head_opens_its_list(open_report: Open, plain: Report) -> None:
    """Enter on the head of a row asks which GPU, on that of a column which models."""
    page = open_report(plain).page
    page.locator("#grid [tabindex='0']").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("[data-view=model]")).to_have_attribute("aria-current", "page")
    expect(page.locator("#view")).to_be_focused()


def test_a_filter_opens_closes_and_gives_the_focus_back(open_report: Open, plain: Report) -> None:
    """A filter's values open with Enter, are chosen with space, and close with Escape."""
    page = open_report(plain).page
    button = page.get_by_role("button", name="Weight format")
    button.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    expect(page.locator("#tools input[data-of]:checked")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-expanded", "false")


def test_the_focused_cell_stays_when_it_is_scrolled_out_of_sight(open_report: Open, plain: Report) -> None:
    """The cell in the order of tabs is drawn wherever the matrix is scrolled to."""
    page = open_report(plain, viewport={"width": 420, "height": 560}).page
    page.locator("#grid [tabindex='0']").focus()
    page.locator(".scroller").evaluate("(scroller) => scroller.scrollTo(2000, 2000)")
    expect(page.locator("[role=gridcell][data-row='3'][data-column='3']")).to_be_in_viewport()
    assert place(page) == (0, 0)
