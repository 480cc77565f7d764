"""``weighbridge batch diff``: what changed between two results."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from ..exit_status import ALL_FIT, SOME_DO_NOT_FIT
from ..queue_access import errors_told, read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from batch.diff import Changed, Difference

SHOWN = 40
"""Changed cells that are shown unless all are asked for."""


@click.command("diff")
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="Changed cells alone, one a line, as JSON.")
@click.option("--all", "show_all", is_flag=True, help=f"Every changed cell, not the first {SHOWN}.")
def command(before: str, after: str, *, as_json: bool, show_all: bool) -> None:
    """Say which cells changed verdict or bytes from BEFORE to AFTER, results files or ids of batches.

    Exit status: 0 when none did, 1 when some did or only one of the two has them, 2 on bad input.
    """
    from batch.diff import Difference, compare
    from batch.folder import results_of

    home = read_settings().home
    counts = Difference()
    shown: list[Changed] = []
    with errors_told():
        for each in compare(results_of(home, before), results_of(home, after), counts):
            if as_json:
                click.echo(json.dumps(_as_json(each), ensure_ascii=False))
            elif show_all or len(shown) < SHOWN:
                shown.append(each)
    if not as_json:
        from ..table import console

        _print(console(), counts, shown)
    sys.exit(SOME_DO_NOT_FIT if counts.changed or counts.only_before or counts.only_after else ALL_FIT)


def _as_json(each: "Changed") -> dict[str, Any]:
    return {
        "model": each.after["model"],
        "request": each.after["request"],
        **{side: _side(line["answer"]) for side, line in (("before", each.before), ("after", each.after))},
    }


def _side(answer: dict[str, Any]) -> dict[str, Any]:
    if answer["status"] == "error":
        return {"error": answer["error"]["code"]}
    return {"verdict": answer["verdict"], "per_gpu": answer["per_gpu"], "versions": answer["versions"]}


def _print(out: "Console", counts: "Difference", shown: Sequence["Changed"]) -> None:
    from rich.table import Table

    for name, versions in (("before", counts.versions_before), ("after", counts.versions_after)):
        for each, number in versions.items():
            told = ", ".join(f"{part} {version:.19}" for part, version in json.loads(each).items())
            out.print(f"{name}: {number} recommendations by {told}")
    transitions = Table("before", "after", "cells")
    for (before, after), number in counts.verdicts.most_common():
        transitions.add_row(before, f"{after}, in bytes" if before == after else after, str(number))
    if counts.changed:
        out.print(transitions)
        out.print(_cells(shown))
    if counts.changed > len(shown):
        out.print(f"{counts.changed - len(shown)} more; --all shows them")
    out.print(
        f"{counts.changed} changed, {counts.same} the same, "
        f"{counts.only_before} only before, {counts.only_after} only after"
    )


def _cells(shown: Sequence["Changed"]) -> object:
    from rich.table import Table

    table = Table("model", "asked", "verdict", "needs a GPU", "of usable")
    for each in shown:
        before, after = each.verdicts
        table.add_row(
            each.after["model"],
            _asked(each.after["request"]),
            before if before == after else f"{before} → {after}",
            _moved(each, "total_bytes"),
            _moved(each, "usable_bytes"),
        )
    return table


def _asked(request: dict[str, Any]) -> str:
    hardware = request.get("hardware", {})
    parts = [
        f"{hardware.get('count', 1)} x {hardware.get('gpu')}",
        request.get("weight_format"),
        request.get("kv_cache_dtype"),
        request.get("engine", {}).get("name"),
        *(f"{name} {value}" for name, value in request.get("workload", {}).items()),
    ]
    return ", ".join(str(part) for part in parts if part)


def _moved(each: "Changed", name: str) -> str:
    from ..table import gib

    before, after = (line["answer"].get("per_gpu", {}).get(name) for line in (each.before, each.after))
    if before == after:
        return "" if after is None else gib(after)
    return " → ".join("none" if side is None else gib(side) for side in (before, after))
