"""The generated pages say what the rules say."""

from pathlib import Path

import pytest

from rules import pages
from rules.fact_meanings import meanings
from rules.facts import PassName, declared
from rules.ruleset import load_rule_set


def test_the_pages_have_not_drifted() -> None:
    """docs/rules/ holds a page for every rule and no other, each as the rules are."""
    assert pages.drifted() == [], f"run {pages.COMMAND}"


def test_a_page_tells_everything_a_rule_says() -> None:
    """Conditions, messages, reason, source, preferences and every case are on the page of a rule."""
    told = pages.pages(load_rule_set())
    for rule in load_rule_set().rules:
        page = told[f"{rule.id}.md"]
        for text in (rule.title, rule.why, rule.source, *(each.text for each in rule.message.values())):
            assert text in page
        assert all(f"`{condition.fact} " in page for condition in rule.when)
        assert page.count("| yes |") + page.count("| no |") == len(rule.cases)
        assert f"[{rule.id}]({rule.id}.md)" in told["README.md"]


@pytest.mark.parametrize("of", ["support", "advice"])
def test_every_fact_has_a_meaning(of: PassName) -> None:
    """No fact is declared without a sentence that says what it is."""
    assert list(meanings(of)) == list(declared(of))
    assert all(text.endswith(".") for text in meanings(of).values())


def test_drift_is_told_with_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A changed page, one that is missing and one of no rule are each named; writing mends them all."""
    monkeypatch.setattr(pages, "FOLDER", tmp_path)
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    (tmp_path / "facts.md").write_text("other")
    (tmp_path / "fp4-is-native.md").unlink()
    (tmp_path / "no-rule.md").write_text("stray")
    assert pages.main(["--check"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"docs/rules/{name} has drifted: run python -m rules.pages"
        for name in ("facts.md", "fp4-is-native.md", "no-rule.md")
    ]
    assert pages.main([]) == 0
    assert pages.drifted() == []
