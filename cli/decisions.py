"""Decisions as a person, or a program, reads them, and what the exit status says of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from schemas.decision import Decision, Mode

from .exit_status import ALL_FIT, SOME_DO_NOT_FIT
from .site_rules import site_recommender

Command = TypeVar("Command", bound=Callable[..., Any])

if TYPE_CHECKING:
    from admission.context import Context
    from admission.manifest.reading import Surroundings


def mode_option(about: str) -> Callable[[Command], Command]:
    """Adds ``--mode``, of which help says ``about``."""
    return click.option("--mode", type=click.Choice(get_args(Mode)), default="enforce", show_default=True, help=about)


MARKS: Mapping[str, tuple[str, str]] = {
    "fit": ("✔", "green"),
    "not_applicable": ("·", "dim"),
    "fit_with_changes": ("✘", "red"),
    "no_fit": ("✘", "red"),
    "unknown_model": ("?", "yellow"),
    "invalid": ("✘", "red"),
    "unavailable": ("?", "yellow"),
}


def context_here(surroundings: "Surroundings", mode: Mode) -> "Context":
    """What decisions in this process rest on: the site's rules, and that nobody is let in who is not known."""
    from admission.context import Context
    from rules.recommend import answer

    by = site_recommender()
    return Context(
        weigh=lambda request: answer(dict(request), by=by),
        surroundings=surroundings,
        mode=mode,
        allow_unknown=False,
        fail_open=False,
        versions=by.versions,
    )


def decisions_status(decisions: Iterable[Decision]) -> int:
    """0 when every object may be let in, 1 when some may not."""
    return ALL_FIT if all(each.allowed for each in decisions) else SOME_DO_NOT_FIT


def print_json(decisions: Iterable[Decision]) -> None:
    """Print one decision a line."""
    for each in decisions:
        click.echo(each.model_dump_json())


def print_table(told: Sequence[tuple[str, Decision]]) -> None:
    """Print what was found of each container, under the names of the objects; those that serve nothing are counted."""
    from rich.table import Table
    from rich.text import Text

    from .table import console

    table = Table("object", "container", "found", show_lines=True)
    table.add_column("why", ratio=1)
    for name, decision in told:
        for found in decision.containers:
            mark, style = MARKS[found.code]
            why = Text(found.message)
            if found.change is not None:
                why.append(f"\n{found.change.why}")
            for sentence in found.assumed:
                why.append(f"\n{sentence}", style="dim")
            if decision.bypass is not None:
                why.append(f"\nbypassed: {decision.bypass}")
            table.add_row(Text(name), Text(found.container), Text(f"{mark} {found.reason}", style=style), why)
    out = console()
    if table.row_count:
        out.print(table)
    silent = sum(not decision.containers for _, decision in told)
    if silent:
        out.print(f"{silent} of {len(told)} objects serve no model on a GPU")


def one_line(decision: Decision) -> str:
    """The decision as one line: its reason, and why."""
    told = " ".join(decision.message.split())
    return f"{decision.reason}: {told}"


def named(object: Mapping[str, Any]) -> str:  # noqa: A002 - Kubernetes' word
    """An object as people refer to it: its kind and its name."""
    metadata = object.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    return f"{object.get('kind') or 'object'}/{name or '?'}"
