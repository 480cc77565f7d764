"""What changed between two results: cells by verdict and bytes, and the versions they were computed with."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from .line import Outcome
from .results_reader import read_lines

_PER_GPU = '"per_gpu":{'


@dataclass(frozen=True, slots=True)
class Changed:
    """A cell whose answers differ in verdict or bytes, as its lines have them."""

    before: dict[str, Any]
    after: dict[str, Any]

    @property
    def verdicts(self) -> tuple[str, str]:
        """Before and after; of an error, its code."""
        return _verdict(self.before), _verdict(self.after)


@dataclass(kw_only=True)
class Difference:
    """Counts of a comparison, complete when its cells have been read."""

    same: int = 0
    only_before: int = 0
    only_after: int = 0
    verdicts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Changed cells by verdict before and after; some changed in their bytes alone."""
    versions_before: Counter[str] = field(default_factory=Counter)
    versions_after: Counter[str] = field(default_factory=Counter)

    @property
    def changed(self) -> int:
        """Cells that differ."""
        return self.verdicts.total()


def compare(before: Path, after: Path, counts: Difference) -> Iterator[Changed]:
    """The cells that both have and that differ, in the order of ``after``; ``counts`` is kept meanwhile.

    Cells are the same by their model and what they ask, whatever their numbers are.

    Raises: InvalidRequestError naming the line that is none.
    """
    known: dict[bytes, tuple[int, bytes]] = {}
    for begin, line, told in read_lines(before):
        known[_key(line)] = begin, _digest(_weighed(line, told))
        if told.versions is not None:
            counts.versions_before[told.versions] += 1
    with before.open("rb") as file:
        for _, line, told in read_lines(after):
            if told.versions is not None:
                counts.versions_after[told.versions] += 1
            found = known.pop(_key(line), None)
            if found is None:
                counts.only_after += 1
            elif found[1] == _digest(_weighed(line, told)):
                counts.same += 1
            else:
                file.seek(found[0])
                each = Changed(json.loads(file.readline()), json.loads(line))
                counts.verdicts[each.verdicts] += 1
                yield each
    counts.only_before = len(known)


def _key(line: str) -> bytes:
    """What a line is about: all between the cell's number and its answer."""
    return _digest(line[line.index(",") : line.index(',"answer":{"request_id":"cell-')])


def _weighed(line: str, told: Outcome) -> str:
    """The verdict with its bytes, or the error's code."""
    if told.verdict is None:
        return f"error {told.code}"
    begin = line.index(_PER_GPU)
    return f"{told.verdict} {line[begin : line.index('}', begin)]}"


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _verdict(line: dict[str, Any]) -> str:
    answer = line["answer"]
    return str(answer["verdict"] if answer["status"] == "ok" else answer["error"]["code"])
