"""``weighbridge batch list``: the batches that were begun here."""

import json

import click

from ..queue_access import read_settings


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One batch a line, as JSON.")
def command(*, as_json: bool) -> None:
    """List the batches that were begun on this machine, the newest first."""
    from batch.folder import batches

    notes = batches(read_settings().home)
    if as_json:
        for note in notes:
            click.echo(json.dumps(note.model_dump(mode="json")))
        return
    from rich.table import Table

    from ..table import console

    table = Table("batch", "began", "catalogue", "cells", "results")
    for note in notes:
        table.add_row(note.batch, note.created, note.catalog, str(note.total), note.results)
    console().print(table)
