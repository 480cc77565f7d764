"""How far a batch is, for people: live on a terminal, as plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from ..durations import duration
from ..table import VERDICTS

if TYPE_CHECKING:
    from rich.console import Group

    from batch.folder import BatchNote
    from schemas.progress import BatchProgress

LINE_SECONDS = 5.0
"""Between two plain lines."""


class Show(Protocol):
    """Shows one look at a batch."""

    def __call__(self, looked: "BatchProgress", trouble: str | None, /) -> None:
        """Shows it."""


@contextmanager
def display(note: "BatchNote") -> Iterator[Show]:
    """What shows the batch on standard error during the block."""
    click.echo(f"batch {note.batch}: {note.total} cells of {note.catalog}, results in {note.results}", err=True)
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True, highlight=False), auto_refresh=False, transient=True) as live:
        yield lambda looked, trouble: live.update(_picture(looked, trouble), refresh=True)


class _Lines:
    def __init__(self) -> None:
        self._next = 0.0

    def __call__(self, looked: "BatchProgress", trouble: str | None, /) -> None:
        now = time.monotonic()
        if now < self._next and looked.state in {"running", "waiting"}:
            return
        self._next = now + LINE_SECONDS
        click.echo(line(looked, trouble), err=True)


def line(looked: "BatchProgress", trouble: str | None) -> str:
    """The batch in one line."""
    counts = ", ".join(f"{number} {verdict}" for verdict, number in looked.verdicts.items() if number)
    told = [
        f"{looked.done}/{looked.total} cells ({looked.done / looked.total:.1%})",
        f"{looked.cells_per_second:.0f}/s",
        _left(looked),
        counts,
        f"{looked.errors} errors" if looked.errors else "",
        f"waiting: {trouble}" if trouble else "",
    ]
    return ", ".join(filter(None, told))


def _left(looked: "BatchProgress") -> str:
    if looked.state in {"finished", "stopped"}:
        return f"{looked.state} after {duration(looked.seconds)}"
    return "" if looked.seconds_left is None else f"{duration(looked.seconds_left)} left"


def _picture(looked: "BatchProgress", trouble: str | None) -> "Group":
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    head = Table.grid(padding=(0, 1))
    head.add_row(
        ProgressBar(total=looked.total, completed=looked.done, width=40),
        f"{looked.done / looked.total:.1%}",
        f"{looked.done} of {looked.total} cells",
        f"{looked.cells_per_second:.0f}/s",
        _left(looked),
    )
    counts = Text()
    for verdict, number in looked.verdicts.items():
        words, style = VERDICTS[verdict]
        counts.append(f"{words} {number}   ", style=style)
    counts.append(f"✘ error {looked.errors}", style="red" if looked.errors else "dim")
    return Group(head, counts, Text(f"waiting: {trouble}" if trouble else "", style="yellow"))
