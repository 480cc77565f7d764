"""What lies in a page, read as a browser would read it."""

import base64
import gzip
import json
from array import array
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_TYPES = {"u8": "B", "u16": "H", "u32": "I", "f64": "d"}


class PageReader(HTMLParser):
    """The elements of a page that matter: scripts, style, title, policy, and whatever could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.texts: dict[str, str] = {}
        self.policy = ""
        self.addresses: list[str] = []
        self.elements: list[str] = []
        self._within: tuple[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = dict(attrs)
        self.elements.append(tag)
        self.addresses += [str(given[name]) for name in ("src", "href", "srcset", "action") if name in given]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(given["content"])
        self._within = (tag, str(given.get("id") or given.get("type") or ""))

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        del tag
        self._within = None

    def handle_data(self, data: str) -> None:
        """Keep the text of the elements that are asked for."""
        if self._within is None:
            return
        tag, name = self._within
        if tag == "script":
            self.scripts[name] = self.scripts.get(name, "") + data
        elif tag in ("title", "style", "h1"):
            self.texts[tag] = self.texts.get(tag, "") + data


def read_page(path: Path) -> PageReader:
    """The page at ``path``, taken apart."""
    reader = PageReader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


class Block:
    """A block of a page's data."""

    def __init__(self, base64_text: str) -> None:
        whole = gzip.decompress(base64.b64decode(base64_text))
        length = int.from_bytes(whole[:4], "little")
        self.head: dict[str, Any] = json.loads(whole[4 : 4 + length])
        begin = -(-(4 + length) // 8) * 8
        self.arrays: dict[str, list[float]] = {}
        for name, kind, offset, count in self.head["arrays"]:
            cells = array(_TYPES[kind])
            cells.frombytes(whole[begin + offset : begin + offset + count * cells.itemsize])
            self.arrays[name] = list(cells)

    def coded(self, name: str, values: list[Any], cell: int) -> Any:  # noqa: ANN401 - decoded JSON is of any shape
        """The value whose number the column ``name`` has for ``cell``."""
        return values[int(self.arrays[name][cell])]

    def figure(self, name: str, cell: int) -> float | None:
        """The figure that the column ``name`` has for ``cell``; None where it has none."""
        found = self.arrays[name][cell]
        distinct = self.arrays.get(f"{name}.figures")
        value = distinct[int(found)] if distinct is not None else found
        return None if value != value else value  # noqa: PLR0124 - only what is no number differs from itself

    def messages(self, cell: int, locale: str) -> list[tuple[str, str, str | None]]:
        """Rule, message in ``locale``, and the language of a message that there is in one language alone."""
        run, starts = self.arrays["findings"], self.arrays["findings.starts"]
        at, told = int(starts[cell]), []
        while at < starts[cell + 1]:
            rule, _, _, _, kept = self.head["kinds"][int(run[at])]
            if kept:
                told.append((rule, self._word(run[at + 1], locale), kept))
                at += 2
                continue
            parts = self.head["sentences"][rule]
            places = 1 + max((part for each in parts.values() for part in each if isinstance(part, int)), default=-1)
            words = [self._word(number, locale) for number in run[at + 1 : at + 1 + places]]
            told.append((rule, "".join(p if isinstance(p, str) else words[p] for p in parts[locale]), None))
            at += 1 + places
        return told

    def _word(self, number: float, locale: str) -> str:
        word = self.head["words"][int(number)]
        return str(word if isinstance(word, str) else word[locale == "zh"])
