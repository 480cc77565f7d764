"""The panel on one cell: its figures are the answer's own."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from rules.ruleset import load_rule_set
from tests.results import weighed

from .conftest import Open, Report, made
from .test_matrix import cell

TERMS = {
    "Weights": "weights_bytes",
    "KV cache": "kv_cache_bytes",
    "Activations": "activation_bytes",
    "Overhead": "overhead_bytes",
    "Needed": "total_bytes",
    "Usable memory": "usable_bytes",
}


def gib(number: int) -> str:
    """Bytes as the panel shows them."""
    return f"{number / 2**30:.2f}"


def open_variant(page: Page, model: str, answer: dict[str, Any]) -> None:
    """Open the cell of an answer and choose its format."""
    cell(page, model, answer["deployment"]["gpu"]).click()
    page.locator("#panel").get_by_role("button", name=answer["model"]["weight_format"], exact=True).click()


@pytest.mark.parametrize(
    ("model", "gpu", "weight_format"),
    [
        ("Qwen/Qwen3-8B", "RTX 3090", "fp8"),
        ("meta-llama/Llama-3.1-70B-Instruct", "L40S", "bf16"),
        ("meta-llama/Llama-3.1-70B-Instruct", "H100-SXM-80GB", "awq-int4"),
        ("Qwen/Qwen3-30B-A3B", "Tesla P40", "awq-int4"),
    ],
)
def test_the_figures_are_those_of_the_answer(
    open_report: Open, plain: Report, model: str, gpu: str, weight_format: str
) -> None:
    """Every term, the need, what is usable and what is left or missing stand in GiB as the answer has them in bytes."""
    answer = plain.answer(model, gpu, weight_format)
    page = open_report(plain).page
    open_variant(page, model, answer)
    panel = page.locator("#panel")
    rows = {row.locator("th").inner_text(): row for row in panel.locator(".terms tbody tr").all()}
    need = answer["per_gpu"]
    for name, field in TERMS.items():
        assert rows[name].locator("td").first.inner_text() == gib(need[field])
    rest = "Missing" if need["headroom_bytes"] < 0 else "Headroom"
    assert rows[rest].locator("td").first.inner_text() == gib(abs(need["headroom_bytes"]))
    bounds, outside = answer["range"], answer["outside_budget"]
    expect(panel).to_contain_text(f"{gib(bounds['low_bytes'])} to {gib(bounds['high_bytes'])} GiB")
    low, high = gib(outside["low_bytes"]), gib(outside["high_bytes"])
    room = gib(outside["room_bytes"])
    expect(panel).to_contain_text(f"{gib(outside['needed_bytes'])} GiB ({low} to {high}), room {room} GiB")
    expect(panel).to_contain_text(f"{answer['deployment']['engine']} {answer['deployment']['engine_version']}")


def test_the_bar_is_to_scale(open_report: Open, plain: Report) -> None:
    """Each piece is as wide as its share of the longer of need and usable memory, which a line marks."""
    answer = plain.answer("meta-llama/Llama-3.1-70B-Instruct", "RTX 3090", "awq-int4")
    need = answer["per_gpu"]
    assert need["headroom_bytes"] < 0
    page = open_report(plain).page
    open_variant(page, "meta-llama/Llama-3.1-70B-Instruct", answer)
    longest = page.locator(".stack").evaluate("(bar) => bar.getBoundingClientRect().width")
    width = page.locator(".stack [data-term=weights]").evaluate("(piece) => piece.getBoundingClientRect().width")
    assert width / longest == pytest.approx(need["weights_bytes"] / need["total_bytes"], abs=0.01)
    end = page.locator(".stack .end").evaluate("(end) => end.offsetLeft")
    assert end / longest == pytest.approx(need["usable_bytes"] / need["total_bytes"], abs=0.01)


def test_findings_are_said_in_the_language_that_is_chosen(open_report: Open, plain: Report) -> None:
    """Messages are those that the rules have for the finding's facts, in English and then in Chinese."""
    answer = plain.answer("Qwen/Qwen3-8B", "RTX 3090", "fp8")
    assert answer["findings"]
    page = open_report(plain).page
    open_variant(page, "Qwen/Qwen3-8B", answer)
    rules = {rule.id: rule for rule in load_rule_set().rules}
    said = page.locator("#panel .findings .message")
    expect(said).to_have_text([each["message"] for each in answer["findings"]])
    page.get_by_role("button", name="中文").click()
    expect(said).to_have_text(
        [rules[each["rule"]].message["zh"].render(each["facts"], "zh") for each in answer["findings"]]
    )


def test_an_error_says_what_is_wrong_and_how_to_mend_it(open_report: Open, varied: Report) -> None:
    """Code, message and hint of an error answer stand in its panel."""
    error = next(line["answer"]["error"] for line in varied.lines if line["answer"].get("status") == "error")
    page = open_report(varied).page
    page.locator("[role=gridcell][data-verdict=error]").first.click()
    panel = page.locator("#panel")
    codes = {
        line["answer"]["error"]["code"]: line["answer"]["error"] for line in varied.lines if "error" in line["answer"]
    }
    shown = codes[panel.locator(".refused h3 code").inner_text()]
    expect(panel).to_contain_text(shown["message"])
    expect(panel).to_contain_text(shown["hint"])
    assert error["code"] in codes


def test_what_the_rule_of_thumb_does_not_know_is_left_out(open_report: Open, varied: Report) -> None:
    """A cell sized by the rule of thumb has its terms, nothing outside the budget, and no longest sequence."""
    page = open_report(varied).page
    cell(page, "Qwen/Qwen3-8B", "L40S").click()
    panel = page.locator("#panel")
    answer = varied.answer("Qwen/Qwen3-8B", "L40S", "bf16")
    assert answer["outside_budget"] is None
    expect(panel.locator(".terms .sum").first).to_contain_text(gib(answer["per_gpu"]["total_bytes"]))
    expect(panel).not_to_contain_text("Outside the budget")
    expect(panel).not_to_contain_text("Longest sequence")
    expect(panel).not_to_contain_text("NaN")


def test_alternatives_of_the_answer_are_offered(open_report: Open, varied: Report) -> None:
    """What the answer offers instead stands in the panel: arguments, verdict, need, and why as it was said."""
    model = "meta-llama/Llama-3.1-70B-Instruct"
    answer = varied.answer(model, "H100-SXM-80GB", "bf16")
    assert any(each["arguments"] for each in answer["alternatives"])
    page = open_report(varied).page
    cell(page, model, answer["deployment"]["gpu"]).click()
    offers = page.locator("#panel .offers > li")
    expect(offers).to_have_count(len(answer["alternatives"]))
    for offer, told in zip(answer["alternatives"], offers.all(), strict=True):
        need = offer["per_gpu"]
        expect(told.locator(".mark")).to_have_attribute("data-verdict", offer["verdict"])
        expect(told).to_contain_text(f"{gib(need['total_bytes'])} of {gib(need['usable_bytes'])} GiB")
        expect(told).to_contain_text(" ".join(offer["arguments"]))
        expect(told).to_contain_text(offer["why"])
    page.get_by_role("button", name="中文").click()
    expect(offers.first.locator("[lang=en]")).to_have_text(answer["alternatives"][0]["why"])


def test_the_smallest_gpus_that_hold_the_model_are_named(open_report: Open, plain: Report) -> None:
    """They are those of the table that fit in some format, by memory, and one of them opens its own panel."""
    model = "meta-llama/Llama-3.1-70B-Instruct"
    answer = plain.answer(model, "RTX 3090", "bf16")
    page = open_report(plain).page
    open_variant(page, model, answer)
    fitting = page.locator("#panel section", has_text="Smallest GPUs").get_by_role("button")
    expect(fitting).to_have_text(["H100 SXM5 80GB"])
    fitting.first.click()
    expect(page.locator("#panel header")).to_contain_text("on H100 SXM5 80GB")


def test_only_an_address_of_the_web_becomes_a_link(open_report: Open, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A source is a link where it is an https address as a whole, and text where it is anything else."""
    request = {"weight_format": "bf16", "hardware": {"gpu": "RTX 3090"}, "alternatives": 0}
    line = weighed(0, "Qwen/Qwen3-8B", request)
    sources = ["https://example.org/a", "javascript:alert(1)", "http://example.org", "see https://example.org"]
    found = {"rule": "x", "level": "info", "message": "m", "prefer": [], "facts": {}}
    line["answer"]["findings"] = [{**found, "source": source} for source in sources]
    page = open_report(made([line], tmp_path_factory.mktemp("sources"), title="Sources")).page
    page.locator("[role=gridcell]").click()
    links = page.locator("#panel a")
    assert [link.get_attribute("href") for link in links.all()] == ["https://example.org/a"]
    assert links.first.get_attribute("rel") == "noopener noreferrer"


def test_names_that_are_markup_are_shown_and_do_nothing(
    open_report: Open, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Labels, messages and titles that would be markup stand as text, in the matrix, the lists and the panel."""
    hostile = "</script><img src=x onerror=\"document.title='gone'\"><b>bold</b>'\"&"
    request = {"weight_format": "bf16", "hardware": {"gpu": hostile}, "alternatives": 0}
    lines = [weighed(0, "Qwen/Qwen3-8B", request), weighed(1, hostile, {**request, "hardware": {"gpu": "L40S"}})]
    page = open_report(made(lines, tmp_path_factory.mktemp("hostile"), title=hostile)).page
    for view in ("matrix", "model", "gpu"):
        page.locator(f"[data-view={view}]").click()
        assert page.evaluate("document.querySelectorAll('img, b b, #view script').length") == 0
    page.locator("[data-view=matrix]").click()
    for place in range(page.locator("[role=gridcell][data-verdict=error]").count()):
        page.locator("[role=gridcell][data-verdict=error]").nth(place).click()
        assert page.evaluate("document.querySelectorAll('img').length") == 0
    assert page.title() == hostile
    expect(page.locator("h1")).to_have_text(hostile)
