"""Messages show facts in named forms and evaluate nothing."""

import pytest

from rules.facts import declared
from rules.message import DISPLAY_FORMS, MessageError, parse_template
from rules.ruleset import packaged_defaults
from schemas.vocabulary import ENGINE_NAMES, EngineName, Locale

FACTS = {
    **packaged_defaults()["advice"],
    "usable_bytes": 22 * 2**30 + 2**29,
    "shortfall_bytes": -(2**30),
    "rule_of_thumb_bytes": 19_200_000_000,
    "num_parameters": 8_190_735_360,
    "rule_of_thumb_factor_percent": 120,
    "compute_capability_tens": 86,
    "assumed_terms": "activation,overhead",
}


@pytest.mark.parametrize(
    ("text", "locale", "shown"),
    [
        ("{gpu}", "en", "GeForce RTX 4090"),
        ("{gpu_count} x {gpu}", "en", "1 x GeForce RTX 4090"),
        ("{usable_bytes:GiB}", "en", "22.50 GiB"),
        ("{shortfall_bytes:GiB}", "en", "-1.00 GiB"),
        ("{rule_of_thumb_bytes:GB}", "zh", "19.2 GB"),
        ("{num_parameters:billions}", "en", "8.2 B"),
        ("{num_parameters:billions}", "zh", "82 亿"),
        ("{rule_of_thumb_factor_percent:hundredths}", "en", "1.2"),
        ("{compute_capability_tens:tenths}", "en", "8.6"),
        ("{engine:engine}", "zh", "vLLM"),
        ("{assumed_terms:terms}", "en", "activations, overhead"),
        ("{assumed_terms:terms}", "zh", "激活值、运行时开销"),
    ],
)
def test_facts_are_shown_in_their_form(text: str, locale: Locale, shown: str) -> None:
    """A placeholder is replaced by its fact in the form it names."""
    assert parse_template(text, declared("advice")).render(FACTS, locale) == shown


@pytest.mark.parametrize(
    ("number", "shown"), [(10_001, "0.10.1"), (33_000, "0.33.0"), (1_002_000, "1.2.0"), (4_057_006, "4.57.6")]
)
def test_a_release_is_shown_as_it_is_written(number: int, shown: str) -> None:
    """The number that releases are compared by reads back as the release."""
    template = parse_template("{engine_release:release}", declared("support"))
    assert template.render({"engine_release": number}, "en") == shown


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_every_engine_has_a_name_for_people(engine: EngineName) -> None:
    """The form of engines knows each engine of the contract, spelt alike but for capitals."""
    template = parse_template("{engine:engine}", declared("advice"))
    assert template.render({"engine": engine}, "en").lower() == engine


def test_a_template_keeps_its_text() -> None:
    """What a template was parsed from can be shown again."""
    text = "{gpu} has {usable_bytes:GiB}, no more"
    template = parse_template(text, declared("advice"))
    assert template.text == text
    assert template.facts_read == {"gpu", "usable_bytes"}


@pytest.mark.parametrize("text", ["{", "}", "{}", "{0}", "{gpu.upper}", "{gpu[0]}", "{gpu!r}", "{gpu:}", "{{gpu}}"])
def test_a_brace_that_begins_no_placeholder_is_refused(text: str) -> None:
    """Nothing of Python's format language is understood."""
    with pytest.raises(MessageError):
        parse_template(text, declared("advice"))


def test_a_fact_that_looks_like_a_placeholder_is_shown_as_it_is() -> None:
    """What is filled in is not read again."""
    template = parse_template("{gpu} {gpu}", declared("advice"))
    assert template.render({"gpu": "{model_name}"}, "en") == "{model_name} {model_name}"


def test_every_form_is_used_by_a_test_above() -> None:
    """A display form nobody checks is a mistake."""
    assert set(DISPLAY_FORMS) == {"GiB", "GB", "billions", "hundredths", "tenths", "terms", "release", "engine"}
