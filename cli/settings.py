"""``weighbridge settings``: what can be set in the environment, and what is."""

from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from checkpoints.sources import PREFIX

from .listing import Row, print_rows
from .queue_access import read_settings

if TYPE_CHECKING:
    from worker.settings import Settings


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="One setting a line, as JSON.")
def settings(*, as_json: bool) -> None:
    """List the settings of the environment with the values they have here; secrets are not shown."""
    now = read_settings()
    print_rows((_row(now, name) for name in type(now).model_fields), as_json=as_json)


def _row(now: "Settings", name: str) -> Row:
    from worker.settings import SECRETS

    what = type(now).model_fields[name].description or ""
    if name in SECRETS:
        what += f"\nOr a file that holds it: {PREFIX}{name.upper()}_FILE."
    return {
        "variable": PREFIX + name.upper(),
        "value": _shown(getattr(now, name)),
        "set": name in now.model_fields_set,
        "what": what.replace("``", ""),
    }


def _shown(value: object) -> str | None:
    if isinstance(value, SecretStr):
        return "**"
    if isinstance(value, tuple):
        return ",".join(value)
    return None if value is None else str(value)
