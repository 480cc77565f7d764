"""Answers as a person reads them."""

import os
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from schemas.recommendation import Alternative, ErrorAnswer, Finding, Recommendation

GIB = 2**30
GB = 10**9
WIDTH_OF_A_PIPE = 160

VERDICTS = {
    "fits": ("✔ fits", "green"),
    "tight": ("≈ tight", "yellow"),
    "does_not_fit": ("✘ does not fit", "red"),
    "unsupported": ("⊘ unsupported", "magenta"),
}
LEVELS = {"error": "red", "warning": "yellow", "advice": "cyan", "info": "dim"}


def console() -> Console:
    """Standard output: coloured on a terminal unless NO_COLOR is set, wide and plain in a pipe."""
    is_terminal = sys.stdout.isatty()
    width = None if is_terminal or "COLUMNS" in os.environ else WIDTH_OF_A_PIPE
    return Console(width=width, highlight=False)


def gib(size: int) -> str:
    """Bytes as GiB."""
    return f"{size / GIB:.2f} GiB"


def answers_table(answers: Iterable[Recommendation | ErrorAnswer]) -> Table:
    """One row an answer: what was asked, the verdict, the memory of each GPU, the advice."""
    table = Table("deployment", "verdict", "memory of each GPU", show_lines=True)
    table.add_column("advice", ratio=1)
    for each in answers:
        if isinstance(each, ErrorAnswer):
            error = Text(f"{each.error.code}  {each.error.message}", style="red")
            if each.error.hint:
                error.append(f"\n{each.error.hint}", style="default")
            table.add_row(each.request_id, Text("✘ error", style="red"), "", error)
        else:
            words, style = VERDICTS[each.verdict]
            table.add_row(
                f"{_named(each)}\n{each.model.weight_format} on {_gpus(each)}",
                Text(words, style=style),
                f"{gib(each.per_gpu.total_bytes)} of {gib(each.per_gpu.usable_bytes)}\n"
                f"rule of thumb {each.rule_of_thumb.per_gpu_bytes / GB:.1f} GB"
                + (f" x {each.deployment.gpu_count}" if each.deployment.gpu_count > 1 else ""),
                _advice(each.findings),
            )
    return table


def _named(answer: Recommendation) -> str:
    return answer.model.name or f"{answer.model.num_parameters / GB:g} B parameters"


def _gpus(answer: Recommendation) -> str:
    return f"{answer.deployment.gpu_count} x {answer.deployment.gpu}"


def _advice(findings: Sequence[Finding]) -> Text:
    told = Text()
    for finding in findings:
        if told:
            told.append("\n")
        told.append(finding.rule, style=LEVELS[finding.level])
        told.append(f"  {finding.message}")
    return told


def print_answers(out: Console, answers: Sequence[Recommendation | ErrorAnswer]) -> None:
    """Print one answer in full, or several as a table."""
    if len(answers) == 1 and isinstance(answers[0], Recommendation):
        print_one(out, answers[0])
    else:
        out.print(answers_table(answers))


def print_one(out: Console, answer: Recommendation) -> None:
    """Print one recommendation: verdict, breakdown, findings, alternatives."""
    deployment = answer.deployment
    words, style = VERDICTS[answer.verdict]
    out.print(
        Text.assemble(
            (words, f"bold {style}"),
            f"  {_named(answer)} in {answer.model.weight_format} on {_gpus(answer)}, ",
            f"{deployment.engine} {deployment.engine_version}, {deployment.max_model_len} tokens",
            f" x {deployment.concurrent_sequences}",
        )
    )
    out.print(_breakdown(answer))
    for finding in answer.findings:
        line = Text(f"{finding.level:8}", style=LEVELS[finding.level])
        out.print(line.append(f"{finding.rule}: ", style="bold").append(finding.message, style="default"))
    if answer.alternatives:
        out.print(_alternatives(answer.alternatives))
    if answer.nearest_miss:
        out.print("nothing starts; nearest is")
        out.print(_alternatives([answer.nearest_miss]))


def _breakdown(answer: Recommendation) -> Table:
    table = Table(show_header=False)
    per_gpu, evidence = answer.per_gpu, answer.evidence
    for name, size, basis in (
        ("weights", per_gpu.weights_bytes, evidence.weights),
        ("kv cache", per_gpu.kv_cache_bytes, evidence.kv_cache),
        ("activation", per_gpu.activation_bytes, evidence.activation),
        ("overhead", per_gpu.overhead_bytes, evidence.overhead),
        ("headroom", per_gpu.headroom_bytes, ""),
        ("usable a GPU", per_gpu.usable_bytes, evidence.usable),
    ):
        table.add_row(name, gib(size), basis)
    table.add_row("needed, range", f"{gib(answer.range.low_bytes)} to {gib(answer.range.high_bytes)}", "")
    if answer.kv_cache:
        holds = f"{answer.kv_cache.pool_tokens} tokens, {answer.kv_cache.max_concurrency:g} sequences"
        table.add_row("kv cache pool", gib(answer.kv_cache.pool_bytes_per_gpu), holds)
    if (outside := answer.outside_budget) and outside.needed_bytes:
        room = f"of {gib(outside.room_bytes)}, up to {gib(outside.high_bytes)}"
        table.add_row("beside the budget", gib(outside.needed_bytes), room)
    table.add_row("rule of thumb", f"{answer.rule_of_thumb.total_bytes / GB:.1f} GB", "all GPUs")
    return table


def _alternatives(alternatives: Sequence[Alternative]) -> Table:
    table = Table("alternative", "verdict", "needs a GPU")
    table.add_column("why", ratio=1)
    for other in alternatives:
        words, style = VERDICTS[other.verdict]
        verdict, per_gpu = Text(words, style=style), other.per_gpu
        changed = "\n".join([_changes(other.changes), *other.arguments])
        table.add_row(changed, verdict, f"{gib(per_gpu.total_bytes)} of {gib(per_gpu.usable_bytes)}", other.why)
    return table


def _changes(changes: object, path: str = "") -> str:
    """Changes as ``field = value`` pairs."""
    if not isinstance(changes, dict):
        return f"{path} = {changes}"
    inner = (_changes(value, f"{path}.{key}".lstrip(".")) for key, value in changes.items())
    return ", ".join(inner)
