"""``weighbridge batch run``: sizes a catalogue, from its beginning or from where it was left."""

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from schemas.errors import QueueFullError, UnavailableError, WeighbridgeError

from ..exit_status import UNAVAILABLE
from ..queue_access import errors_told, read_settings
from .outputs import FILE, Outputs, output_options

if TYPE_CHECKING:
    from batch.crew import Crew
    from batch.folder import BatchFolder
    from batch.progress import Progress
    from batch.results_file import ResultsFile
    from schemas.catalog_file import CellFilter
    from schemas.progress import BatchProgress
    from worker.client import Client
    from worker.settings import Settings

INTERRUPTED = 130
PATIENCE_SECONDS = 600.0


@click.command("run")
@click.argument("catalog", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--resume", metavar="ID", help="Go on with a batch that was interrupted.")
@click.option("--local", is_flag=True, help="Weigh in processes of this machine, without a queue.")
@click.option("--processes", type=click.IntRange(1, 1024), help="With --local: how many; default: one a core.")
@click.option("--model", multiple=True, help="Only models whose names match; * and ? stand for anything.")
@click.option("--gpu", multiple=True, help="Only GPU types whose names match.")
@click.option("--format", "weight_format", multiple=True, help="Only these weight formats.")
@click.option(
    "--results", type=FILE, help="Where the results go as they come, as JSON Lines; default: the batch's folder."
)
@click.option(
    "--patience",
    type=click.FloatRange(1, 86_400),
    default=PATIENCE_SECONDS,
    show_default=True,
    help="Seconds in which no answer comes before the batch is left for later.",
)
@output_options
def command(
    catalog: Path | None,
    *,
    resume: str | None,
    processes: int | None,
    model: tuple[str, ...],
    gpu: tuple[str, ...],
    weight_format: tuple[str, ...],
    results: Path | None,
    patience: float,
    csv: Path | None,
    parquet: Path | None,
    report: Path | None,
    local: bool,
) -> None:
    """Size every cell of CATALOG, a YAML or JSON Lines file, over the queue, so that all of its workers share the work.

    Exit status: 0 when every cell has its answer, 2 on bad input, 3 when the queue's server went away or nobody
    answered, 130 when interrupted.  Whatever ended it, --resume goes on.
    """
    from batch import folder as folders

    if (catalog is None) == (resume is None):
        raise click.UsageError("name a catalogue file, or a batch with --resume")
    narrowed = {"model": model, "gpu": gpu, "weight_format": weight_format}
    if resume is not None and (results is not None or any(narrowed.values())):
        raise click.UsageError("--model, --gpu, --format and --results were settled when the batch began")
    outputs = Outputs(csv=csv, parquet=parquet, report=report)
    outputs.check()
    settings = read_settings()
    with errors_told():
        if resume is not None:
            batch = folders.open_batch(settings.home, resume)
        else:
            batch = _begin(settings.home, Path(str(catalog)), _only(narrowed), results, local=local)
        with batch.held():
            _run(batch, settings, patience, outputs, local=local or batch.note.local, processes=processes)


def _only(narrowed: Mapping[str, tuple[str, ...]]) -> "CellFilter":
    from schemas.catalog_file import CellFilter

    return CellFilter.model_validate({name: list(patterns) for name, patterns in narrowed.items() if patterns})


def _begin(home: Path, catalog: Path, only: "CellFilter", results: Path | None, *, local: bool) -> "BatchFolder":
    """A new batch of ``catalog``.

    Raises: InvalidRequestError.
    """
    from batch import folder as folders
    from batch.catalog_file import read_catalog_file
    from batch.cells import count
    from batch.plan import plan
    from schemas.errors import InvalidRequestError

    planned = plan(read_catalog_file(catalog), catalog.absolute().parent, only)
    total = count(planned)
    if total == 0:
        raise InvalidRequestError(f"{catalog}: nothing is left to ask", hint="loosen the filters, or exclude less")
    return folders.create(home, planned, catalog=catalog.name, total=total, results=results, local=local)


def _run(
    batch: "BatchFolder", settings: "Settings", patience: float, outputs: Outputs, *, local: bool, processes: int | None
) -> None:
    from batch.progress import Progress
    from batch.results_file import ResultsFile, UnwritableResultsError

    note, status, why = batch.note, 0, ""
    with ResultsFile(Path(note.results), note.total) as results:
        progress = Progress(note=note, tally=results.tally)
        try:
            with _crew(note.batch, settings, local=local, processes=processes) as (crew, client):
                _ask(batch, crew, client, results, progress=progress, patience=patience)
        except KeyboardInterrupt:
            status, why = INTERRUPTED, "interrupted"
        except (UnavailableError, QueueFullError, UnwritableResultsError) as error:
            status, why = UNAVAILABLE, f"{error.message}; {error.hint}" if error.hint else error.message
    ended = progress.end()
    if status:
        click.echo(f"batch {note.batch} stopped at {ended.done} of {note.total} cells: {why}", err=True)
        click.echo(f"go on with: weighbridge batch --resume {note.batch}", err=True)
        sys.exit(status)
    from .summary import print_summary

    print_summary(note, ended, results.tally, outputs.write(Path(note.results), note.catalog))


def _ask(
    batch: "BatchFolder",
    crew: "Crew",
    client: "Client | None",
    results: "ResultsFile",
    *,
    progress: "Progress",
    patience: float,
) -> None:
    """Has every cell answered, and tells of it meanwhile.

    Raises: UnavailableError; QueueFullError.
    """
    from batch.run import RESEND_SECONDS, Run

    from .display import display

    with display(batch.note) as show:

        def told(looked: "BatchProgress", trouble: str | None) -> None:
            show(looked, trouble)
            if client is not None:
                # Whoever listens may hear it; that nobody can holds up nothing.
                with suppress(WeighbridgeError):
                    client.tell_progress(looked)

        def tell(trouble: str | None) -> None:
            if progress.is_due():
                told(progress.look(trouble=trouble), trouble)

        try:
            Run(
                plan=batch.plan,
                crew=crew,
                results=results,
                tell=tell,
                patience_seconds=patience,
                # Processes of this machine lose nothing on the way.
                resend_seconds=math.inf if client is None else RESEND_SECONDS,
            ).finish()
        finally:
            told(progress.end(), None)


@contextmanager
def _crew(
    batch: str, settings: "Settings", *, local: bool, processes: int | None
) -> "Iterator[tuple[Crew, Client | None]]":
    """Those who answer, and the client to tell progress by, where there is a server."""
    if local:
        from batch.local_crew import LocalCrew

        from ..site_rules import site_folder, site_recommender

        site_recommender()  # a broken folder of rules is told here, and not by each process
        with LocalCrew(processes or settings.concurrency, settings.sources, site_folder()) as crew:
            yield crew, None
        return
    from batch.queue_crew import QueueCrew
    from worker.client import Client

    with Client.open(settings) as client:
        yield QueueCrew(client=client, reply_to=f"batch-{batch}"), client
