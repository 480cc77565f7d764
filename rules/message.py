"""Messages of rules: text with named facts in it, and nothing that is evaluated."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.recommendation import FactValue
from schemas.vocabulary import Locale

from .facts import FactType

_PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)(?::([A-Za-z]+))?\}")

_TERMS: dict[Locale, dict[str, str]] = {
    "en": {
        "weights": "weights",
        "kv_cache": "kv cache",
        "activation": "activations",
        "overhead": "overhead",
        "usable": "usable memory",
    },
    "zh": {
        "weights": "权重",
        "kv_cache": "KV 缓存",
        "activation": "激活值",
        "overhead": "运行时开销",
        "usable": "可用显存",
    },
}

_ENGINES = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "tensorrt-llm": "TensorRT-LLM",
    "llama.cpp": "llama.cpp",
    "transformers": "Transformers",
}
"""Engines as they write themselves, in any language."""


def _gib(value: FactValue, _: Locale) -> str:
    return f"{int(value) / 2**30:.2f} GiB"


def _gb(value: FactValue, _: Locale) -> str:
    return f"{int(value) / 10**9:.1f} GB"


def _billions(value: FactValue, locale: Locale) -> str:
    return f"{int(value) / 10**9:.1f} B" if locale == "en" else f"{int(value) / 10**8:.0f} 亿"


def _hundredths(value: FactValue, _: Locale) -> str:
    whole, rest = divmod(int(value), 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")


def _tenths(value: FactValue, _: Locale) -> str:
    return "{}.{}".format(*divmod(int(value), 10))


def _release(value: FactValue, _: Locale) -> str:
    major, rest = divmod(int(value), 1_000_000)
    return "{}.{}.{}".format(major, *divmod(rest, 1000))


def _engine(value: FactValue, _: Locale) -> str:
    return _ENGINES[str(value)]


def _terms(value: FactValue, locale: Locale) -> str:
    names = [_TERMS[locale].get(name, name) for name in str(value).split(",")]
    return (", " if locale == "en" else "、").join(names)


DISPLAY_FORMS: dict[str, tuple[type, Callable[[FactValue, Locale], str]]] = {
    "GiB": (int, _gib),
    "GB": (int, _gb),
    "billions": (int, _billions),
    "hundredths": (int, _hundredths),
    "tenths": (int, _tenths),
    "release": (int, _release),
    "engine": (str, _engine),
    "terms": (str, _terms),
}
"""How a fact can be shown, by the name a placeholder gives after its colon: its type and its text."""


class MessageError(ValueError):
    """The text holds a placeholder that cannot be filled."""


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A fact's place in a message."""

    fact: str
    form: str | None
    """Name of its display form; None shows it as it is."""

    def __str__(self) -> str:
        return f"{{{self.fact}}}" if self.form is None else f"{{{self.fact}:{self.form}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A message in one language, taken apart."""

    parts: tuple[str | Placeholder, ...]

    @property
    def facts_read(self) -> frozenset[str]:
        """The facts it shows."""
        return frozenset(part.fact for part in self.parts if isinstance(part, Placeholder))

    @property
    def text(self) -> str:
        """The message as its rule spells it."""
        return "".join(part if isinstance(part, str) else str(part) for part in self.parts)

    def render(self, facts: Mapping[str, FactValue], locale: Locale) -> str:
        """The message about ``facts``."""
        return "".join(
            [part if isinstance(part, str) else _shown(part, facts[part.fact], locale) for part in self.parts]
        )


def _shown(place: Placeholder, value: FactValue, locale: Locale) -> str:
    return str(value) if place.form is None else DISPLAY_FORMS[place.form][1](value, locale)


def parse_template(text: str, declared: Mapping[str, FactType]) -> Template:
    """The template ``text`` spells: ``{fact}`` or ``{fact:form}`` between plain text.

    Raises: MessageError, also for a brace that begins no placeholder.
    """
    parts: list[str | Placeholder] = []
    end = 0
    for match in _PLACEHOLDER.finditer(text):
        parts += [_plain(text[end : match.start()]), _placeholder(match[1], match[2], declared)]
        end = match.end()
    parts.append(_plain(text[end:]))
    return Template(tuple(part for part in parts if part != ""))


def _plain(text: str) -> str:
    if "{" in text or "}" in text:
        raise MessageError(f"a brace begins no {{fact}} or {{fact:form}} in {text.strip()!r}")
    return text


def _placeholder(fact: str, form: str | None, declared: Mapping[str, FactType]) -> Placeholder:
    if fact not in declared:
        raise MessageError(f"there is no fact {fact!r}")
    kind = declared[fact].kind
    if form is None and kind is bool:
        raise MessageError(f"{fact} is a boolean, which is not shown in a message")
    if form is not None and form not in DISPLAY_FORMS:
        raise MessageError(f"there is no display form {form!r}; there are {', '.join(DISPLAY_FORMS)}")
    if form is not None and DISPLAY_FORMS[form][0] is not kind:
        raise MessageError(f"{fact} is a {kind.__name__}, which {form} does not show")
    return Placeholder(fact, form)
