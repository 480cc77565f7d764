"""Commands made of subcommands, one a module, each imported when it is called or described."""

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """A group of the commands in ``modules``, by the module of each.

    What a command is called in its module is its own name, or ``attribute`` where that is given.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401 - click's own
        modules: Mapping[str, str],
        attribute: str | None = None,
        **settings: Any,  # noqa: ANN401 - as above
    ) -> None:
        super().__init__(*arguments, **settings)
        self.modules = modules
        self._attribute = attribute

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of the subcommands, in the order help shows them."""
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The subcommand called ``cmd_name``; None when there is none."""
        if cmd_name not in self.modules:
            return None
        module = importlib.import_module(self.modules[cmd_name])
        command: click.Command = getattr(module, self._attribute or cmd_name)
        return command
