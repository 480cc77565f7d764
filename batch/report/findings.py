"""Findings of all cells, so written that a page can say each of them in both languages."""

from array import array
from collections.abc import Iterable, Mapping
from typing import get_args

from pydantic import JsonValue

from rules.message import DISPLAY_FORMS, Placeholder, Template
from rules.rule import Rule
from schemas.recommendation import FactValue, Finding
from schemas.vocabulary import FindingLevel, Locale
from sizing.remembered import keep

from .columns import Codes, narrowed

_LOCALES: tuple[Locale, ...] = get_args(Locale)

_REMEMBERED = 50_000
"""Findings of which it is remembered how they are written, before all of them are forgotten: most recur at once."""

_Kind = tuple[str, FindingLevel, tuple[str, ...], str, Locale | None]
"""Rule, level, what is preferred, source, and the language of a message that could not be put together."""


class _Sentences:
    """A rule's message in both languages, over one list of the texts that are filled in."""

    def __init__(self, message: Mapping[Locale, Template]) -> None:
        parts = {locale: message[locale].parts for locale in _LOCALES}
        places = [part for locale in _LOCALES for part in parts[locale] if isinstance(part, Placeholder)]
        self.places = tuple(dict.fromkeys(places))
        self.parts: dict[Locale, list[str | int]] = {
            locale: [part if isinstance(part, str) else self.places.index(part) for part in parts[locale]]
            for locale in _LOCALES
        }

    def shown(self, facts: Mapping[str, FactValue]) -> dict[Locale, list[str]] | None:
        """The texts of the placeholders in each language; None where ``facts`` are not what the rule reads."""
        try:
            return {locale: [_shown(place, facts, locale) for place in self.places] for locale in _LOCALES}
        except (KeyError, ValueError):
            return None

    def told(self) -> dict[str, JsonValue]:
        """The parts in each language; a number stands for the text at that place."""
        return {locale: [*parts] for locale, parts in self.parts.items()}

    def said(self, shown: list[str], locale: Locale) -> str:
        """The message with the texts ``shown`` filled in."""
        return "".join([part if isinstance(part, str) else shown[part] for part in self.parts[locale]])


def _shown(place: Placeholder, facts: Mapping[str, FactValue], locale: Locale) -> str:
    value = facts[place.fact]
    return str(value) if place.form is None else DISPLAY_FORMS[place.form][1](value, locale)


class FindingColumn:
    """The findings of every cell in one run of numbers.

    A finding is the number of its kind, then those of the texts in its message, as many as its rule has places; one
    whose message stands for itself has one.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._sentences = {rule.id: _Sentences(rule.message) for rule in rules}
        self._kinds: Codes[_Kind] = Codes()
        self._words: Codes[tuple[str, str]] = Codes()
        self._starts = array("I", [0])
        self._run = array("I")
        self._told: dict[tuple[object, ...], tuple[int, ...]] = {}

    def add(self, findings: Iterable[Finding], locale: Locale) -> None:
        """Give the next cell ``findings``, whose messages are in ``locale``."""
        for finding in findings:
            # Whatever a finding says, with its facts: True is kept apart from 1 by the message or by the fact's name.
            about = (*finding.facts.items(), *finding.prefer)
            said = (finding.rule, finding.level, finding.source, finding.message, locale, about)
            told = self._told.get(said)
            if told is None:
                told = keep(self._told, said, self._numbers(finding, locale), _REMEMBERED)
            self._run.extend(told)
        self._starts.append(len(self._run))

    def _numbers(self, finding: Finding, locale: Locale) -> tuple[int, ...]:
        """The finding as it stands in the run."""
        shown = self._filled_in(finding, locale)
        kept = locale if shown is None else None
        kind = self._kinds.number((finding.rule, finding.level, tuple(finding.prefer), finding.source, kept))
        if shown is None:
            return kind, self._words.number((finding.message, finding.message))
        return kind, *map(self._words.number, zip(shown["en"], shown["zh"], strict=True))

    def _filled_in(self, finding: Finding, locale: Locale) -> dict[Locale, list[str]] | None:
        """The texts in its message; None where the installed rule would not say the same."""
        sentences = self._sentences.get(finding.rule)
        shown = sentences.shown(finding.facts) if sentences else None
        if sentences is None or shown is None or sentences.said(shown[locale], locale) != finding.message:
            return None
        return shown

    def head(self) -> dict[str, JsonValue]:
        """Kinds, the sentences of their rules, and texts; one that is alike in both languages stands once."""
        kinds = self._kinds.values
        told = dict.fromkeys(rule for rule, *_, kept in kinds if kept is None)
        return {
            "kinds": [[rule, level, list(prefer), source, kept] for rule, level, prefer, source, kept in kinds],
            "sentences": {rule: self._sentences[rule].told() for rule in told},
            "words": [en if en == zh else [en, zh] for en, zh in self._words.values],
        }

    def arrays(self) -> dict[str, "array[int] | array[float]"]:
        """Where each cell's findings begin, and the run of numbers."""
        return {"findings.starts": self._starts, "findings": narrowed(self._run)}
