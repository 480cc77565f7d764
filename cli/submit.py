"""``weighbridge submit``: puts requests on the queue."""

import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import click

from schemas.errors import InvalidRequestError
from schemas.recommendation import ErrorAnswer, Recommendation

from .exit_status import BAD_INPUT, exit_status
from .queue_access import open_client
from .request_files import read_requests

if TYPE_CHECKING:
    from worker.client import Client

WAIT_SECONDS = 60.0


@click.command("submit")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--wait", is_flag=True, help="Wait for the answers and print them.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 86_400),
    default=WAIT_SECONDS,
    show_default=True,
    help="Seconds to wait while the queue is full, and again for all answers.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines.")
def submit(files: tuple[str, ...], timeout: float, *, wait: bool, as_json: bool) -> None:
    """Put the requests in FILES, JSON or JSON Lines, on the queue; without FILES, or for -, standard input.

    Prints the request ids, or with --wait the answers.
    """
    requests = _read(files)
    with open_client() as client:
        # One request takes the queue on which it waits behind no list.
        if len(requests) == 1:
            request_ids = [client.submit(*requests, patience=timeout)]
        else:
            request_ids = client.submit_many(requests, patience=timeout)
        if wait:
            sys.exit(_print_answers(client, request_ids, timeout, as_json=as_json))
    for request_id in request_ids:
        click.echo(json.dumps({"request_id": request_id}) if as_json else request_id)


def _print_answers(client: "Client", request_ids: Sequence[str], timeout: float, *, as_json: bool) -> int:
    from rules.recommend import encode

    from .progress import progress
    from .table import console, print_answers

    answers: list[Recommendation | ErrorAnswer] = []
    with progress(client.wait_many(request_ids, timeout=timeout), len(request_ids)) as coming:
        for answer in coming:
            answers.append(answer)
            if as_json:
                click.echo(encode(answer))
    if not as_json:
        print_answers(console(), answers)
    return exit_status(answers)


def _read(files: tuple[str, ...]) -> list[dict[str, Any]]:
    """All requests, or none: a file that is wrong somewhere must not be half on the queue."""
    requests = []
    for place, value in read_requests(files):
        if isinstance(value, InvalidRequestError):
            _refuse(place, value.message)
        if not isinstance(value, dict):
            _refuse(place, "a request is a JSON object")
        requests.append(value)
    return requests


def _refuse(place: str, why: str) -> NoReturn:
    click.echo(f"{place}: {why}", err=True)
    sys.exit(BAD_INPUT)
