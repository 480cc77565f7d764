"""``weighbridge batch export``: a results file as tables and as a report."""

from pathlib import Path

import click

from ..queue_access import errors_told, read_settings
from .outputs import Outputs, output_options


@click.command("export")
@click.argument("results")
@click.option("--title", help="Title of the report; default: the file's name.")
@output_options
def command(results: str, *, title: str | None, csv: Path | None, parquet: Path | None, report: Path | None) -> None:
    """Write RESULTS, a results file or the id of a batch, as tables or as a report; unfinished ones too."""
    from batch.folder import results_of

    outputs = Outputs(csv=csv, parquet=parquet, report=report)
    outputs.check()
    with errors_told():
        path = results_of(read_settings().home, results)
        for written in outputs.write(path, title or path.name):
            click.echo(written)
