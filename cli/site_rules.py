"""The site's own rules, as the environment names their folder, for commands that answer in this process."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .exit_status import BAD_INPUT
from .queue_access import errors_told

if TYPE_CHECKING:
    from rules.recommend import Recommender

VARIABLE = "WEIGHBRIDGE_RULES_PATH"


def site_folder() -> Path | None:
    """The site's folder; None where there is none."""
    named = os.environ.get(VARIABLE, "")
    return Path(named) if named else None


def site_recommender() -> "Recommender":
    """What answers in this process, from the sources that the environment names.

    A folder of rules that a worker would not put in force ends the command, exit status 2.
    """
    from checkpoints.sources import Sources
    from rules.recommend import packaged

    with errors_told():
        ours = packaged(Sources.from_environment(os.environ))
    folder = site_folder()
    if folder is None:
        return ours
    from rules.site import load_with_site
    from rules.trial import load_here

    if fault := load_here(folder).fault:
        click.echo(f"error: {VARIABLE}: {fault}", err=True)
        sys.exit(BAD_INPUT)
    return ours.ruled_by(load_with_site(folder))
