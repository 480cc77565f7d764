"""``weighbridge settings``: what can be set in the environment, and what is."""

import os
from typing import TYPE_CHECKING

import click
from pydantic import SecretStr

from .listing import Row, print_rows
from .queue_access import errors_told, read_settings

if TYPE_CHECKING:
    from schemas.environment import FromEnvironment


@click.command("settings")
@click.option("--json", "as_json", is_flag=True, help="One setting a line, as JSON.")
def settings(*, as_json: bool) -> None:
    """List the settings of the environment with the values they have here; secrets are not shown."""
    from admission.kueue.settings import KueueSettings
    from admission.settings import AdmissionSettings

    with errors_told():
        others = [kind.from_environment(os.environ) for kind in (AdmissionSettings, KueueSettings)]
    every: tuple[FromEnvironment, ...] = (read_settings(), *others)
    print_rows((_row(now, name) for now in every for name in type(now).model_fields), as_json=as_json)


def _row(now: "FromEnvironment", name: str) -> Row:
    from worker.settings import SECRETS

    variable, what = now.variable(name), type(now).model_fields[name].description or ""
    if name in SECRETS:
        what += f"\nOr a file that holds it: {variable}_FILE."
    return {
        "variable": variable,
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
