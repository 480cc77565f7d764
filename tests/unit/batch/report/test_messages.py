"""What rules found is said in both languages, in the words of the installed rules."""

from copy import deepcopy
from pathlib import Path
from typing import get_args

from rules.ruleset import load_rule_set
from schemas.vocabulary import Locale
from tests.results import plain_lines

from .conftest import MadePage

RULES = {rule.id: rule for rule in load_rule_set().rules}


def test_each_finding_is_said_in_both_languages_as_its_rule_says_it(made: MadePage) -> None:
    """Put together in the page, a message is what the rule's template makes of the finding's facts."""
    seen = 0
    locales: tuple[Locale, ...] = get_args(Locale)
    for place, line in enumerate(made.lines):
        found = line["answer"].get("findings", [])
        for locale in locales:
            expected = [
                (each["rule"], RULES[each["rule"]].message[locale].render(each["facts"], locale), None)
                for each in found
            ]
            assert made.panel.messages(place, locale) == expected
        seen += len(found)
    assert seen > len(made.lines)


def test_a_finding_is_said_in_the_language_it_was_answered_in_as_the_answer_says_it(made: MadePage) -> None:
    """The message of the page in the answer's own language is the answer's."""
    for place, line in enumerate(made.lines):
        locale = line["request"].get("locale", "en")
        said = [message for _, message, _ in made.panel.messages(place, locale)]
        assert said == [each["message"] for each in line["answer"].get("findings", [])]


def test_what_the_installed_rules_would_not_say_stands_as_it_was_said(tmp_path: Path) -> None:
    """A rule that is not installed, another wording, and facts that are missing leave the message as it is."""
    (line,) = [each for each in plain_lines() if len(each["answer"].get("findings", [])) >= 3][:1]
    line = deepcopy(line)
    unknown, reworded, without_facts = line["answer"]["findings"][:3]
    unknown["rule"] = "a-rule-of-somebody-else"
    reworded["message"] = "Something else, with {braces} & <b>markup</b>."
    without_facts["facts"] = {}
    panel = MadePage([line], tmp_path).panel
    for locale in ("en", "zh"):
        told = panel.messages(0, locale)[:3]
        assert told == [(each["rule"], each["message"], "en") for each in (unknown, reworded, without_facts)]


def test_a_fact_of_another_type_leaves_the_message_as_it_is(tmp_path: Path) -> None:
    """A text where the rule shows bytes is no reason to fail."""
    line = next(each for each in plain_lines() if each["answer"].get("verdict") == "does_not_fit")
    finding = next(each for each in line["answer"]["findings"] if each["rule"] == "memory-does-not-fit")
    finding["facts"]["total_bytes"] = "plenty"
    told = {rule: kept for rule, _, kept in MadePage([line], tmp_path).panel.messages(0, "zh")}
    assert told["memory-does-not-fit"] == "en"
