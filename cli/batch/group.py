"""``weighbridge batch`` with its subcommands; without one, a catalogue is sized."""

import importlib

import click

SUBCOMMANDS = {
    "run": "cli.batch.run",
    "list": "cli.batch.listing",
    "export": "cli.batch.export",
    "diff": "cli.batch.diff",
}
"""Module of each; the command in it is called ``command``."""


class WithDefault(click.Group):
    """A group whose first subcommand is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the default in front of what names no subcommand and does not ask for help."""
        if args and args[0] not in {*SUBCOMMANDS, *self.get_help_option_names(ctx)}:
            args = [next(iter(SUBCOMMANDS)), *args]
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of the subcommands."""
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The subcommand called ``cmd_name``, imported when it is called or described."""
        if cmd_name not in SUBCOMMANDS:
            return None
        command: click.Command = importlib.import_module(SUBCOMMANDS[cmd_name]).command
        return command


@click.group("batch", cls=WithDefault)
def batch() -> None:
    """Size a whole catalogue: `weighbridge batch catalog.yaml`, `weighbridge batch --resume ID`."""
