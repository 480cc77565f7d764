"""The ``weighbridge`` command: one subcommand a module, each imported when it is called."""

import importlib
from importlib.metadata import version

import click

COMMANDS = {
    "size": "cli.size",
    "check": "cli.check",
    "slurm": "cli.slurm",
    "batch": "cli.batch.group",
    "demo": "cli.demo",
    "worker": "cli.worker",
    "serve": "cli.serve",
    "kueue": "cli.kueue",
    "submit": "cli.submit",
    "results": "cli.results",
    "status": "cli.status",
    "dead": "cli.dead",
    "gpus": "cli.gpus",
    "models": "cli.models",
    "formats": "cli.formats",
    "support": "cli.support",
    "rules": "cli.rules",
    "settings": "cli.settings",
    "schema": "cli.schema",
}
"""Module of each subcommand; the command in it has the subcommand's name."""


class LazyGroup(click.Group):
    """A group that imports a subcommand only when it is called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of the subcommands, in the order help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The subcommand called ``cmd_name``; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("weighbridge"), prog_name="weighbridge")
def main() -> None:
    """Weigh LLM deployments: GPU memory, hardware support and advice, in process or over a queue.

    Exit status: 0 all fit, 1 some do not, 2 bad input, 3 the queue's server is away or full.
    """


if __name__ == "__main__":
    main()
