"""``weighbridge batch`` with its subcommands; without one, a catalogue is sized."""

import click

from ..lazy_group import LazyGroup

SUBCOMMANDS = {
    "run": "cli.batch.run",
    "list": "cli.batch.listing",
    "export": "cli.batch.export",
    "diff": "cli.batch.diff",
}
"""Module of each; the command in it is called ``command``."""


class WithDefault(LazyGroup):
    """A group whose first subcommand is meant where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts the default in front of what names no subcommand and does not ask for help."""
        if args and args[0] not in {*self.modules, *self.get_help_option_names(ctx)}:
            args = [next(iter(self.modules)), *args]
        return super().parse_args(ctx, args)


@click.group("batch", cls=WithDefault, modules=SUBCOMMANDS, attribute="command")
def batch() -> None:
    """Size a whole catalogue: `weighbridge batch catalog.yaml`, `weighbridge batch --resume ID`."""
