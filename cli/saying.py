"""What a command tells whoever runs it, on standard error or in its log."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from worker.server import Say
    from worker.settings import Settings


def say(line: str, _: str = "") -> None:
    """Tells a person ``line``."""
    click.echo(line, err=True)


def begin_log(settings: "Settings") -> "Say":
    """Begins the log of a command that serves; what tells lines: the log itself where that is for programs."""
    from worker.telemetry.log_lines import say_in_log, write_log

    write_log(settings)
    return say_in_log if settings.log_format == "json" else say
