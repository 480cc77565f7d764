"""``weighbridge dead``: what was set aside because no task could be given it, or because it failed for good."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from .listing import Row, print_rows
from .queue_access import errors_told, open_wiring

if TYPE_CHECKING:
    from worker.delivery.dead import DeadLetter
    from worker.wiring import Wiring


@click.group("dead")
def dead() -> None:
    """Look at dead letters, send them again, or drop them.

    A letter is a message that could not be read, or a request that failed for good; its reason says which.
    """


@dead.command("list")
@click.option("--json", "as_json", is_flag=True, help="One letter a line, as JSON.")
def list_(*, as_json: bool) -> None:
    """List all letters, newest first."""
    with _opened() as wiring:
        print_rows((_told(letter) for letter in wiring.dead.newest_first()), as_json=as_json)


@dead.command("show")
@click.argument("letter_id")
def show(letter_id: str) -> None:
    """Show a letter whole, with its message, as JSON."""
    with _opened() as wiring:
        letter = wiring.dead.get(letter_id)
    click.echo(json.dumps({**_told(letter), "message": letter.message.decode(errors="backslashreplace")}, indent=2))


@dead.command("replay")
@click.argument("letter_ids", nargs=-1, required=True)
def replay(letter_ids: tuple[str, ...]) -> None:
    """Send letters again; the errors their requests were answered with are forgotten, and they are answered anew."""
    from worker.replay import Replay

    with _opened() as wiring:
        for letter_id in letter_ids:
            letter = Replay(wiring=wiring).replay(letter_id)
            click.echo(f"{letter_id}: sent to {letter.source}")


@dead.command("drop")
@click.argument("letter_ids", nargs=-1, required=True)
def drop(letter_ids: tuple[str, ...]) -> None:
    """Forget letters."""
    with _opened() as wiring:
        for letter_id in letter_ids:
            letter = wiring.dead.get(letter_id)
            wiring.dead.drop(letter.letter_id)
            click.echo(f"{letter_id}: dropped")


@contextmanager
def _opened() -> Iterator["Wiring"]:
    with errors_told(), open_wiring() as wiring:
        yield wiring


def _told(letter: "DeadLetter") -> Row:
    return {
        "letter": letter.letter_id,
        "at": _when(letter),
        "reason": letter.reason,
        "detail": letter.detail,
        "source": letter.source,
        "length": letter.length,
        "request_ids": " ".join(letter.request_ids),
    }


def _when(letter: "DeadLetter") -> str:
    milliseconds = int(letter.letter_id.partition("-")[0])
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
