"""The tables, as Markdown that is read as well on a terminal."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .environment import Interview
from .interview import KINDS
from .question import MAX_MODEL_LEN, Figure
from .references import GIB, Reference

REASON_CHARACTERS = 160


@dataclass(slots=True, kw_only=True)
class Notes:
    """Reasons, numbered as they are first met."""

    numbers: dict[str, int] = field(default_factory=dict)

    def mark(self, reason: str) -> str:
        """The number of ``reason``."""
        shown = " ".join(reason.split())[:REASON_CHARACTERS]
        return f"[{self.numbers.setdefault(shown, len(self.numbers) + 1)}]"

    def lines(self) -> list[str]:
        """One line a reason."""
        return [f"- [{number}] {reason}" for reason, number in self.numbers.items()]


def aligned(rows: list[list[str]]) -> list[str]:
    """Rows of a Markdown table, the first being its head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(f"{cell:{'<' if at == 0 else '>'}{widths[at]}}" for at, cell in enumerate(row)) + " |"
        for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 1) + ("-" if at == 0 else ":") for at, width in enumerate(widths)) + "|"
    return [lines[0], rule, *lines[1:]]


def error_of(figure: Figure, reference: float | None) -> float | None:
    """Relative error of ``figure``; None without one of both."""
    return None if reference is None or isinstance(figure, str) else figure / reference - 1


def figure_of(interview: Interview, number: int, name: str) -> Figure:
    """What was answered, or why nothing was."""
    answer = interview.answers.get(number)
    found: Figure = answer[name] if answer else interview.fault or "no answer"
    return found


def _cell(figure: Figure, reference: float | None, show: Callable[[float], str], notes: Notes) -> str:
    if isinstance(figure, str):
        return f"refused {notes.mark(figure)}"
    error = error_of(figure, reference)
    return show(figure) if error is None else f"{show(figure)} {error:+z.1%}"


def _figures(
    references: list[Reference], interviews: dict[str, Interview], name: str, show: Callable[[float], str], notes: Notes
) -> list[str]:
    rows = [["model", "reference", *interviews]]
    for number, reference in enumerate(references):
        right: float | None = getattr(reference, name)
        cells = [_cell(figure_of(said, number, name), right, show, notes) for said in interviews.values()]
        rows.append([reference.label, "" if right is None else show(right), *cells])
    return aligned(rows)


def _summary(references: list[Reference], interviews: dict[str, Interview]) -> list[str]:
    rows = [["of the references below", "weights answered", "largest error", "kv cache answered", "largest error"]]
    for tool, said in interviews.items():
        cells: list[str] = []
        for name in ("weights_bytes", "kv_bytes_per_token"):
            known = [at for at, reference in enumerate(references) if getattr(reference, name) is not None]
            found = [error_of(figure_of(said, at, name), getattr(references[at], name)) for at in known]
            errors = [error for error in found if error is not None]
            worst = max(errors, key=abs, default=None)
            cells += [f"{len(errors)} of {len(known)}", "-" if worst is None else f"{worst:+z.1%}"]
        rows.append([tool, *cells])
    return aligned(rows)


def rates(interviews: dict[str, Interview], reference: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Answers a second and the ratio to those of ``reference`` on the same models, by tool and kind."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for tool, interview in interviews.items():
        found[tool] = {}
        for kind, taken in interview.seconds.items():
            ours = interviews[reference].seconds.get(kind, {})
            both = sorted(taken.keys() & ours.keys())
            if taken:
                found[tool][kind] = {
                    "per_second": len(taken) / sum(taken.values()),
                    "models": len(taken),
                    "slowest_per_second": 1 / max(taken.values()),
                    "ratio": sum(ours[at] for at in both) / sum(taken[at] for at in both) if both else None,
                }
    return found


def _rate_table(interviews: dict[str, Interview], reference: str) -> list[str]:
    rows = [["answers a second", *(f"{kind}{part}" for kind in KINDS for part in ("", " ratio")), "models"]]
    for tool, kinds in rates(interviews, reference).items():
        cells: list[str] = []
        for kind in KINDS:
            rate = kinds.get(kind)
            cells.append(f"{rate['per_second']:,.0f}" if rate else "-")
            cells.append(f"{rate['ratio']:.2f}" if rate and rate["ratio"] else "-")
        rows.append([tool, *cells, str(max((rate["models"] for rate in kinds.values()), default=0))])
    return aligned(rows)


def _rates_by_model(references: list[Reference], interviews: dict[str, Interview], kind: str) -> list[str]:
    rows = [["model", *interviews]]
    for number, reference in enumerate(references):
        if reference.is_timed:
            taken = [said.seconds.get(kind, {}).get(number) for said in interviews.values()]
            rows.append([reference.label, *(f"{1 / seconds:,.0f}" if seconds else "-" for seconds in taken)])
    return aligned(rows)


def render(
    references: list[Reference],
    interviews: dict[str, Interview],
    *,
    heading: list[str],
    left_out: dict[str, str],
    reference_tool: str,
) -> str:
    """The whole report."""
    notes = Notes()
    compared = {tool: said for tool, said in interviews.items() if tool != "weighbridge by name"}
    weights = _figures(references, compared, "weights_bytes", lambda value: f"{value / GIB:,.2f}", notes)
    kept = _figures(references, compared, "kv_bytes_per_token", lambda value: f"{value:,.0f}", notes)
    return "\n".join(
        [
            *heading,
            "",
            *_summary(references, compared),
            "",
            "## Weights, GiB on one rank",
            "",
            *weights,
            "",
            f"## Kv cache, bytes a token on one rank: a sequence of {MAX_MODEL_LEN:,} tokens at 16 bits",
            "",
            *kept,
            "",
            "Refused, and why:",
            "",
            *notes.lines(),
            "",
            "## Speed",
            "",
            "Answers a second of processor time on one core, every tool in the same run. *warm*: the same config;",
            "*cold*: another irrelevant field each time; *reshaped*: another vocabulary each time. The ratio is to",
            f"{reference_tool}, on the models that both answered: above 1 is faster. {reference_tool} reads anew each",
            "config that is sent to it, so that its three rates agree; *by name* asks for a model of its catalogue.",
            "Its answers hold weights, kv cache, activations, overhead and a verdict. Tools that refuse weights above",
            "multiply a few fields of the config for the kv cache alone, and have that much less to do.",
            "",
            *_rate_table(interviews, reference_tool),
            "",
            "Cold, by model:",
            "",
            *_rates_by_model(references, compared, "cold"),
            "",
            "## References",
            "",
            *(f"- {row.label}: weights {row.weights_source or 'none'}; kv cache {row.kv_source}" for row in references),
            "",
            "## Left out",
            "",
            *(f"- {name}: {reason}" for name, reason in left_out.items()),
            "",
        ]
    )
