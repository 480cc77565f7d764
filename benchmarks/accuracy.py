"""How far estimates are from measured deployments: ``python -m benchmarks.accuracy [FILE.jsonl]``.

Every record that can be asked as a request is asked, and each figure it prints is held against the answer.
``--json`` prints the same for machines; ``--write`` and ``--check`` keep docs/accuracy.md.
"""

import argparse
import json
import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from .records import (
    FIGURES,
    MEASURED,
    RELATIVE,
    Comparison,
    FigureName,
    NotAskable,
    Outcome,
    Record,
    ask,
    compare,
    outcome,
    read_records,
)

PAGE = Path(__file__).parent.parent / "docs" / "accuracy.md"
WORST = 10
INTRODUCTION = """\
# Accuracy

Written by `python -m benchmarks.accuracy --write`; do not edit.

Every record of `benchmarks/data/measured.jsonl`, what engines printed on real hardware, is asked as a request, and
the answer is held against the log. The error is estimate minus measurement: in percent of the measurement, or, for
the small terms, in GiB. *Median* and *p90* are of its absolute value, *bias* is the median of the signed error.
*Left out* are the models that no coefficient was fitted on: a fourth of all, drawn by the digest of the name.
"""
REMAINS = """\
## What remains

- llama.cpp's compute buffer is asked of the first device. Its formula has nothing fitted to these records; what is
  left is holes that the allocator finds no tensor for: 78 MiB of Qwen2.5-Coder-7B's 382. The 112 MiB more of
  Llama-3.1-8B without flash attention, on an ollama of 2025, are not explained. Qwen3.8 27B was run with speculative
  decoding, which writes four states of each layer instead of one: 9 MiB more. Records with some layers in host memory
  are not compared: weights pass through the buffer there.
- Gemma-4-E2B in Q4_K_M: the file was not made by llama-quantize, which takes Q6_K for the embedding, where the file
  has Q4_K, and for those of the layers, where it has Q5_K.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """The errors of one figure; fractions of the measurement, or GiB."""

    count: int
    median: float
    p90: float
    bias: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How verdicts met what happened."""

    started: dict[str, int]
    """Verdicts on the records that started."""
    failed: dict[str, int]
    """Verdicts on the records that failed for memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that was found in a file of records."""

    records: int
    comparisons: tuple[Comparison, ...]
    outcomes: tuple[Outcome, ...]
    not_asked: dict[str, int]
    """Reason, and how many records it stopped."""


def report(records: Iterable[Record]) -> Report:
    """Every record asked and compared."""
    comparisons: list[Comparison] = []
    outcomes: list[Outcome] = []
    reasons: Counter[str] = Counter()
    count = 0
    for record in records:
        count += 1
        try:
            found = ask(record)
        except NotAskable as reason:
            reasons[str(reason)] += 1
            continue
        comparisons += compare(record, found)
        ended = outcome(record, found)
        outcomes += [ended] if ended else []
    return Report(
        records=count,
        comparisons=tuple(comparisons),
        outcomes=tuple(outcomes),
        not_asked=dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
    )


def score(comparisons: Iterable[Comparison]) -> Score | None:
    """Median, 90th percentile and bias; None of nothing."""
    errors = [comparison.error for comparison in comparisons]
    if not errors:
        return None
    sizes = sorted(abs(error) for error in errors)
    return Score(
        count=len(sizes),
        median=statistics.median(sizes),
        p90=sizes[-(-9 * len(sizes) // 10) - 1],
        bias=statistics.median(errors),
    )


def tally(outcomes: Iterable[Outcome]) -> Outcomes:
    """Verdicts on what started, and on what failed."""
    ended = list(outcomes)
    return Outcomes(
        started=dict(Counter(one.verdict for one in ended if one.started)),
        failed=dict(Counter(one.verdict for one in ended if not one.started)),
    )


def groups(found: Report) -> list[tuple[str, FigureName]]:
    """Each engine and figure that anything was compared of, in order."""
    present = {(one.engine, one.figure) for one in found.comparisons}
    engines = sorted({name for name, _ in present})
    return [(name, figure) for name in engines for figure in FIGURES if (name, figure) in present]


def of(found: Report, engine: str, figure: FigureName, *, left_out: bool = False) -> list[Comparison]:
    """The comparisons of one figure on one engine, or only those of models left out."""
    return [
        one
        for one in found.comparisons
        if one.engine == engine and one.figure == figure and (one.is_left_out or not left_out)
    ]


def as_json(found: Report) -> str:
    """The report for machines."""
    figures = []
    for engine, figure in groups(found):
        every = score(of(found, engine, figure))
        left_out = score(of(found, engine, figure, left_out=True))
        figures.append(
            {
                "engine": engine,
                "figure": figure,
                "unit": "fraction" if figure in RELATIVE else "GiB",
                "all": asdict(every) if every else None,
                "left_out": asdict(left_out) if left_out else None,
                "comparisons": [{**asdict(one), "error": one.error} for one in of(found, engine, figure)],
            }
        )
    value = {
        "records": found.records,
        "not_asked": found.not_asked,
        "figures": figures,
        "outcomes": [asdict(one) for one in found.outcomes],
    }
    return json.dumps(value, indent=1)


def as_page(found: Report) -> str:
    """The report as a Markdown page."""
    asked = found.records - sum(found.not_asked.values())
    lines = [INTRODUCTION, f"Records: {found.records}; asked: {asked}.", "", "## Scores", ""]
    lines += [
        "| engine | figure | records | median | p90 | bias | left out | median | p90 | bias |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for engine, figure in groups(found):
        every, left_out = score(of(found, engine, figure)), score(of(found, engine, figure, left_out=True))
        cells = (*_cells(every, figure), *_cells(left_out, figure))
        lines.append(f"| {engine} | {figure} | {' | '.join(cells)} |")
    lines += ["", REMAINS, *_outcome_lines(found), "", *_worst_lines(found), *_not_asked_lines(found)]
    return "\n".join(lines).rstrip() + "\n"


def _cells(found: Score | None, figure: FigureName) -> tuple[str, ...]:
    if found is None:
        return ("0", "", "", "")
    return (str(found.count), *(_error(value, figure) for value in (found.median, found.p90, found.bias)))


def _error(value: float, figure: FigureName) -> str:
    return f"{value * 100:.2f} %" if figure in RELATIVE else f"{value:.2f} GiB"


def _outcome_lines(found: Report) -> list[str]:
    lines = [
        "## Outcomes",
        "",
        "One sequence of the record's longest length is asked for.",
        "",
        "| engine | models | happened | fits | tight | does not fit |",
        "|---|---|---|---:|---:|---:|",
    ]
    for engine in sorted({one.engine for one in found.outcomes}):
        for models, wanted in (("all", False), ("left out", True)):
            chosen = [one for one in found.outcomes if one.engine == engine and (one.is_left_out or not wanted)]
            counts = tally(chosen)
            for happened, verdicts in (("started", counts.started), ("failed for memory", counts.failed)):
                cells = " | ".join(str(verdicts.get(verdict, 0)) for verdict in ("fits", "tight", "does_not_fit"))
                lines.append(f"| {engine} | {models} | {happened} | {cells} |")
    wrong = [one for one in found.outcomes if (one.verdict == "fits" and not one.started) or _is_wrong_refusal(one)]
    if wrong:
        lines += ["", "Wrong outcomes:", ""]
        lines += [
            f"- {one.model}: {'started' if one.started else 'failed'}, called {one.verdict} ({_link(one.source)})"
            for one in wrong
        ]
    return lines


def _is_wrong_refusal(one: Outcome) -> bool:
    return one.started and one.verdict == "does_not_fit"


def _worst_lines(found: Report) -> list[str]:
    lines = ["## The ten worst of each figure", ""]
    for engine, figure in groups(found):
        lines += [f"### {engine}: {figure}", "", "| error | measured | estimated | model | source |"]
        lines.append("|---:|---:|---:|---|---|")
        worst = sorted(of(found, engine, figure), key=lambda one: (-abs(one.error), one.record))[:WORST]
        for one in worst:
            model = one.model + (" (left out)" if one.is_left_out else "")
            sizes = f"{_size(one.measured)} | {_size(one.estimated)}"
            lines.append(f"| {_error(one.error, figure)} | {sizes} | {model} | {_link(one.source)} |")
        lines.append("")
    return lines


def _not_asked_lines(found: Report) -> list[str]:
    lines = ["## Records that were not asked", "", "| records | why |", "|---:|---|"]
    return lines + [f"| {count} | {reason.replace('|', '/')} |" for reason, count in found.not_asked.items()]


def _size(value: float) -> str:
    return f"{value:,.2f}"


def _link(source: str) -> str:
    """The address in ``source`` with what stands before it as its text."""
    text, _, address = source.partition(" https://")
    return f"[{text}](https://{address.split()[0]})" if address else source


def main() -> int:
    """Print, write or check the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=MEASURED)
    parser.add_argument("--json", action="store_true", help="print every comparison as JSON")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    parser.add_argument("--check", action="store_true", help=f"fail where {PAGE.name} says something else")
    asked = parser.parse_args()
    found = report(read_records(asked.file))
    page = as_page(found)
    if asked.write:
        PAGE.write_text(page, encoding="utf-8")
    elif asked.check:
        if PAGE.read_text(encoding="utf-8") != page:
            print(f"docs/{PAGE.name} has drifted: run python -m benchmarks.accuracy --write", file=sys.stderr)
            return 1
    else:
        print(as_json(found) if asked.json else page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
