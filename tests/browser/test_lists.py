"""The ranked lists."""

from playwright.sync_api import expect

from schemas.vocabulary import VERDICTS
from tests.results import GPUS, MODELS

from .conftest import Open, Report
from .test_matrix import best

GIB = 2**30
STARTS = ("fits", "tight")


def test_gpus_of_a_model_are_ranked_by_verdict_and_memory(open_report: Open, plain: Report) -> None:
    """What fits comes first, the smallest GPU before larger ones; of the rest what misses least."""
    model = "meta-llama/Llama-3.1-70B-Instruct"
    page = open_report(plain).page
    page.get_by_role("rowheader", name=model).click()
    answers = sorted(
        (best(plain, model, gpu) for gpu in GPUS),
        key=lambda each: (
            VERDICTS.index(each["verdict"]),
            each["deployment"]["gpu_memory_bytes"] if each["verdict"] in STARTS else -each["per_gpu"]["headroom_bytes"],
        ),
    )
    expect(page.locator(".list .entry")).to_have_text([each["deployment"]["gpu"] for each in answers])
    first, need = page.locator(".list tbody tr").first, answers[0]["per_gpu"]
    expect(first).to_contain_text(f"{need['total_bytes'] / GIB:.2f} of {need['usable_bytes'] / GIB:.2f} GiB")
    expect(first).to_contain_text(answers[0]["model"]["weight_format"])


def test_models_on_a_gpu_are_ranked_by_verdict_and_size(open_report: Open, plain: Report) -> None:
    """The largest model that fits stands first."""
    page = open_report(plain).page
    page.get_by_role("columnheader", name="GeForce RTX 3090").click()
    fitting = [model for model in MODELS if best(plain, model, "RTX 3090")["verdict"] == "fits"]
    largest = max(fitting, key=lambda model: int(best(plain, model, "RTX 3090")["model"]["num_parameters"]))
    expect(page.locator(".list .entry").first).to_have_text(largest)


def test_a_list_follows_the_filters_and_can_be_sorted(open_report: Open, plain: Report) -> None:
    """A filtered list has fewer rows, and a head sorts it up, down, and back into its ranks."""
    page = open_report(plain, "#view=gpu&gpu=L40S").page
    head = page.locator("th[data-name=headroom]")
    ranked = page.locator(".list .entry").all_inner_texts()
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    upwards = page.locator(".list .entry").all_inner_texts()
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert page.locator(".list .entry").all_inner_texts() == upwards[::-1]
    head.get_by_role("button").click()
    assert page.locator(".list .entry").all_inner_texts() == ranked
    page.get_by_role("searchbox").fill("llama")
    expect(page.locator(".list .entry")).to_have_text(["meta-llama/Llama-3.1-70B-Instruct"])


def test_an_entry_opens_its_panel_and_has_the_focus_again(open_report: Open, plain: Report) -> None:
    """Enter on a name opens the panel, Escape closes it and goes back to the name."""
    page = open_report(plain, "#view=gpu&gpu=L40S").page
    entry = page.locator(".list .entry").nth(1)
    entry.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text(entry.inner_text())
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(entry).to_be_focused()
