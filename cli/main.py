"""The ``weighbridge`` command: one subcommand a module, each imported when it is called."""

from importlib.metadata import version

import click

from .lazy_group import LazyGroup

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


@click.group(cls=LazyGroup, modules=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("weighbridge"), prog_name="weighbridge")
def main() -> None:
    """Weigh LLM deployments: GPU memory, hardware support and advice, in process or over a queue.

    Exit status: 0 all fit, 1 some do not, 2 bad input, 3 the queue's server is away or full.
    """


if __name__ == "__main__":
    main()
