"""What a finished batch came to, in the terminal."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..durations import duration
from ..table import VERDICTS, console

if TYPE_CHECKING:
    from batch.folder import BatchNote
    from batch.tally import Tally
    from schemas.progress import BatchProgress


def print_summary(note: "BatchNote", ended: "BatchProgress", tally: "Tally", written: Sequence[Path]) -> None:
    """Prints verdicts by weight format, errors by code, the versions that answered, and where the files are."""
    from rich.table import Table
    from rich.text import Text

    from batch.tally import ERROR

    shown = {**VERDICTS, ERROR: ("✘ error", "red")}
    table = Table("weight format")
    for words, style in shown.values():
        table.add_column(Text(words, style=style), justify="right")
    for name, counts in [*tally.formats.items(), ("all", tally.verdicts)]:
        if name == "all":
            table.add_section()
        table.add_row(name, *(str(counts[verdict]) for verdict in shown))
    out = console()
    out.print(table)
    for code, number in tally.codes.most_common():
        out.print(Text(f"{number} cells could not be answered: {code}", style="red"))
    for versions in tally.versions:
        out.print("answered by " + ", ".join(f"{name} {each:.19}" for name, each in json.loads(versions).items()))
    if len(tally.versions) > 1:
        out.print(Text("the answers come from more than one version: compare them with care", style="yellow"))
    out.print(f"{ended.done} cells, this run {duration(ended.seconds)}, batch {note.batch}")
    for path in (Path(note.results), *written):
        out.print(str(path), soft_wrap=True)
