"""The page in English and in Chinese."""

import re

import pytest
from playwright.sync_api import expect

from batch.report.page_texts import load_page_texts

from .conftest import Open, Report

VIEWS = ("#view=matrix", "#view=model", "#view=gpu", "#open=Qwen/Qwen3-8B&on=L40S")


@pytest.mark.parametrize(("locale", "lang"), [("zh-CN", "zh-CN"), ("zh-TW", "zh-CN"), ("de-DE", "en"), ("en-US", "en")])
def test_the_browsers_language_is_chosen_at_first(open_report: Open, plain: Report, locale: str, lang: str) -> None:
    """Chinese where the browser speaks Chinese, English elsewhere."""
    page = open_report(plain, locale=locale).page
    expect(page.locator("html")).to_have_attribute("lang", lang)


def test_the_other_language_is_one_press_away(open_report: Open, plain: Report) -> None:
    """The button changes the language of page and document and keeps the focus."""
    page = open_report(plain).page
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("[data-view=matrix]")).to_have_text("矩阵")
    expect(page.get_by_role("button", name="中文")).to_be_focused()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("[data-view=matrix]")).to_have_text("Matrix")


@pytest.mark.parametrize("view", VIEWS)
def test_no_english_is_left_in_chinese(open_report: Open, plain: Report, view: str) -> None:
    """In Chinese none of the page's English texts is in sight or spoken, in any view."""
    page = open_report(plain, f"{view}&lang=zh").page
    told = page.evaluate(
        """() => {
          const spoken = [...document.querySelectorAll('body *')].flatMap((element) =>
            ['aria-label', 'title', 'placeholder'].map((name) => element.getAttribute(name) ?? ''));
          const shown = document.body.cloneNode(true);
          shown.querySelectorAll('script, noscript, code, [lang=en], h1').forEach((element) => element.remove());
          const texts = [];
          const walk = document.createTreeWalker(shown, NodeFilter.SHOW_TEXT);
          while (walk.nextNode()) texts.push(walk.currentNode.textContent);
          return [...spoken, ...texts];
        }"""
    )
    sentences = [str(text["en"]) for text in load_page_texts().values() if isinstance(text, dict)]
    plain_words = [each for each in sentences if "{" not in each and re.search("[a-z]{4}", each)]
    lines = {line.strip() for line in told}
    assert not lines & set(plain_words)
    assert not lines & {each.capitalize() for each in plain_words}
    beginnings = tuple(begin for each in sentences if re.search("[a-z]{3} ", begin := each.partition("{")[0]))
    assert not [line for line in lines if line.startswith(beginnings)]
