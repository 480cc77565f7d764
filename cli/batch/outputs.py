"""What a batch can be written as beside its results file, and the options that ask for it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

FILE = click.Path(dir_okay=False, path_type=Path)


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """Files to write when all answers are there."""

    csv: Path | None
    parquet: Path | None
    report: Path | None

    def check(self) -> None:
        """Raises click.UsageError, before anything is asked, where one could not be written in the end."""
        for path in filter(None, (self.csv, self.parquet, self.report)):
            if not path.absolute().parent.is_dir():
                raise click.UsageError(f"{path}: there is no such folder")
        if self.parquet is not None:
            from importlib.util import find_spec

            if find_spec("pyarrow") is None:
                raise click.UsageError("--parquet needs pyarrow: pip install 'weighbridge[parquet]'")

    def write(self, results: Path, title: str) -> list[Path]:
        """Writes them; where they are.

        Raises: InvalidRequestError where ``results`` are none; UnavailableError.
        """
        written = []
        if self.csv is not None:
            from batch.tables import write_csv

            write_csv(results, self.csv)
            written.append(self.csv)
        if self.parquet is not None:
            from batch.tables import write_parquet

            write_parquet(results, self.parquet)
            written.append(self.parquet)
        if self.report is not None:
            from batch.report import write_report

            write_report(results, self.report, title=title)
            written.append(self.report)
        return written


def output_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --csv, --parquet and --report."""
    for option in (
        click.option("--report", type=FILE, help="One HTML file to look at: what runs where, and why."),
        click.option("--parquet", type=FILE, help="A flat, typed table; needs pyarrow."),
        click.option("--csv", type=FILE, help="The same table as text."),
    ):
        command = option(command)
    return command
