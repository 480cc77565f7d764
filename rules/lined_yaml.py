"""YAML read as plain values, each with the line it stands on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from pydantic import JsonValue

from schemas.yaml_loader import LOADER

_INTEGER = re.compile(r"-?(0|[1-9][0-9_]*)\Z")
_MEANS_MORE = re.compile(
    r"(~|null|yes|no|on|off|y|n|[-+]?(\.inf|\d[\d_]*\.?\d*([eE][-+]?\d+)?|\.\d+)|\.nan|0[xob][0-9a-f_]+"
    r"|\d{4}-\d\d?-\d\d?.*|)\Z",
    re.IGNORECASE,
)
_MAX_DEPTH = 8

Path = tuple[str | int, ...]


class YamlError(ValueError):
    """The text is not the small part of YAML that rules are written in."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Lined:
    """A mapping and the lines of what is in it."""

    value: dict[str, JsonValue]
    lines: dict[Path, int]
    """Line of every key and list element, by its path; the whole is at ``()``."""

    def line_of(self, path: Path) -> int:
        """The line of ``path``, or of the closest thing around it."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_lined(text: str) -> Lined:
    """The mapping ``text`` spells.

    Mappings, lists, strings, whole numbers and true or false: anchors, tags, keys said twice and words
    that YAML would turn into something else than they look like are refused.

    Raises: YamlError.
    """
    reader = _Reader(yaml.parse(text, Loader=LOADER))
    try:
        return reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(error.problem or "is not YAML", mark.line + 1 if mark else 1) from None
    except yaml.YAMLError as error:
        raise YamlError(f"is not YAML: {error}", 1) from None


class _Reader:
    """Builds values from the parser's events, without recursion deeper than a rule needs."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._lines: dict[Path, int] = {}

    def document(self) -> Lined:
        for opening in (yaml.StreamStartEvent, yaml.DocumentStartEvent):
            event = next(self._events)
            if not isinstance(event, opening):
                raise YamlError("is empty", 1)
        value = self._value(next(self._events), ())
        next(self._events)
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            raise YamlError("holds a second document", _line(event))
        if not isinstance(value, dict):
            raise YamlError("is not a mapping", self._lines[()])
        return Lined(value, self._lines)

    def _value(self, event: yaml.Event, path: Path) -> JsonValue:
        self._lines.setdefault(path, _line(event))
        if isinstance(event, yaml.AliasEvent):
            raise YamlError("an alias; say it again instead", _line(event))
        if getattr(event, "anchor", None) is not None or _has_tag(event):
            raise YamlError("an anchor or a tag; rules are plain values", _line(event))
        if len(path) > _MAX_DEPTH:
            raise YamlError("is nested too deeply", _line(event))
        if isinstance(event, yaml.ScalarEvent):
            return _scalar(event)
        return self._mapping(path) if isinstance(event, yaml.MappingStartEvent) else self._list(path)

    def _mapping(self, path: Path) -> JsonValue:
        mapping: dict[str, JsonValue] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, (*path, "<key>"))
            del self._lines[(*path, "<key>")]
            if not isinstance(key, str):
                raise YamlError(f"the key {key!r} is not a string", _line(event))
            if key in mapping:
                raise YamlError(f"the key {key!r} is said twice", _line(event))
            self._lines[(*path, key)] = _line(event)
            mapping[key] = self._value(next(self._events), (*path, key))
        return mapping

    def _list(self, path: Path) -> JsonValue:
        elements: list[JsonValue] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            elements.append(self._value(event, (*path, len(elements))))
        return elements


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _has_tag(event: yaml.Event) -> bool:
    # A quoted scalar has no tag of its own, yet the C parser gives it "!".
    return getattr(event, "tag", None) not in (None, "!")


def _scalar(event: yaml.ScalarEvent) -> JsonValue:
    text = str(event.value)
    is_plain = event.style in (None, "")
    if not is_plain:
        return text
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _MEANS_MORE.match(text):
        raise YamlError(
            f"{text!r} can be read in two ways: quote it, or write true, false or a whole number", _line(event)
        )
    return text
