"""Every packaged rule does what its own cases say, and speaks well."""

from dataclasses import replace
from pathlib import Path

import pytest

from rules.cases import CaseFailure, count_cases, run_cases
from rules.conditions import all_hold
from rules.rule import AdviceRule, SupportRule
from rules.ruleset import load_rule_set, packaged_defaults, rule_set_of

RULE_SET = load_rule_set()


def test_every_case_of_every_rule_holds() -> None:
    """Each rule fires where its cases say so and nowhere else, in the engine."""
    assert [str(failure) for failure in run_cases(RULE_SET)] == []
    assert count_cases(RULE_SET) >= 2 * len(RULE_SET.rules)


def test_plain_python_reads_the_cases_alike() -> None:
    """The conditions evaluated without the engine say the same of every case."""
    for rule in RULE_SET.rules:
        assert [all_hold(rule.when, case.facts) for case in rule.cases] == [case.fires for case in rule.cases]


def test_a_case_that_fails_is_told_with_its_line() -> None:
    """A rule whose conditions change fails its case, named by file and line."""
    rule = next(rule for rule in RULE_SET.advice if rule.id == "fp8-without-fp8-tensor-cores")
    other = next(rule for rule in RULE_SET.advice if rule.id == "fp32-is-hardly-used-to-serve")
    broken = replace(rule, when=other.when)
    (failure,) = run_cases(rule_set_of([broken]))
    assert isinstance(failure, CaseFailure)
    assert str(failure) == f"{rule.cases[0].origin}: {rule.id} does not fire"
    assert str(rule.cases[0].origin).startswith(f"{rule.origin.file}:")


@pytest.mark.parametrize("rule", RULE_SET.rules, ids=lambda rule: rule.id)
def test_a_rule_says_something_in_each_language(rule: SupportRule | AdviceRule) -> None:
    """Both messages can be filled in, end as sentences, and the Chinese one is Chinese."""
    facts = packaged_defaults()[rule.of]
    english, chinese = (rule.message[locale].render(facts, locale) for locale in ("en", "zh"))
    assert english.endswith(".")
    assert chinese.endswith("。")
    assert any("\u4e00" <= character <= "\u9fff" for character in chinese)
    assert "{" not in english + chinese


def test_support_rules_lie_in_the_folder_of_whom_they_speak_for() -> None:
    """Rules in the folder hardware never read the engine, those in engines one of several, all others their own."""
    for rule in RULE_SET.support:
        engines = {each.operand for each in rule.when if each.fact == "engine"}
        folder = rule.origin.file.parent.name
        if folder == "hardware":
            assert not engines
        elif folder == "engines":
            assert all(isinstance(each, tuple) for each in engines)
        else:
            assert engines == {folder.replace("llama-cpp", "llama.cpp")}


def test_no_rule_names_what_lies_beside_the_project() -> None:
    """Sources are public documents, code and papers."""
    for rule in RULE_SET.rules:
        text = Path(rule.origin.file).read_text(encoding="utf-8")
        assert "notes/" not in text
        assert ".csv" not in text
