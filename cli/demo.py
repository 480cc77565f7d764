"""``weighbridge demo``: the whole service once, from the queue to the results stream."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from schemas.recommendation import ErrorAnswer, Recommendation

from .exit_status import BAD_INPUT
from .queue_access import errors_told, read_settings
from .request_files import read_requests
from .saying import say

if TYPE_CHECKING:
    from worker.client import Client

PATIENCE_SECONDS = 60.0


@click.command("demo")
@click.argument("file", default="examples/seed.jsonl", type=click.Path(exists=True, dir_okay=False))
def demo(file: str) -> None:
    """Start a server and a worker, submit the requests of FILE, and print the answers.

    Leaves nothing running.  With WEIGHBRIDGE_REDIS_URL set, that server is used.
    """
    from .table import answers_table, console

    requests = list(_requests(file))
    with errors_told():
        answers = _through_the_queue(requests)
    console().print(answers_table(answers))


def _requests(file: str) -> Iterator[dict[str, Any]]:
    """The requests of ``file`` without their ids: a server that saw them before would not publish them again."""
    for place, value in read_requests((file,)):
        if not isinstance(value, dict):
            _refuse(place, str(value))
        yield {key: each for key, each in value.items() if key != "request_id"}


def _through_the_queue(requests: Sequence[dict[str, Any]]) -> list[Recommendation | ErrorAnswer]:
    from worker.client import Client
    from worker.process import worker_process
    from worker.server import announced_server

    with tempfile.TemporaryDirectory(prefix="weighbridge-demo-") as folder:
        settings = read_settings().model_copy(update={"home": Path(folder)})
        with (
            announced_server(settings, say) as server,
            (Path(folder) / "worker.log").open("wb") as log,
            worker_process(settings, server.url, log=log),
            Client(settings, server.url) as client,
        ):
            began_after = client.newest()
            request_ids = client.submit_many(requests)
            say(f"submitted {len(request_ids)} requests to the queue")
            answers = dict(_answers(client, began_after, set(request_ids)))
            say(f"read {len(answers)} answers from the results stream")
    return [answers[request_id] for request_id in request_ids]


def _answers(
    client: "Client", began_after: str, awaited: set[str]
) -> Iterator[tuple[str, Recommendation | ErrorAnswer]]:
    from .progress import progress

    entries = client.results(start=began_after, block=PATIENCE_SECONDS)
    with progress(entries, len(awaited)) as coming:
        for _, answer in coming:
            if answer.request_id in awaited:
                awaited.discard(answer.request_id)
                yield answer.request_id, answer
            if not awaited:
                return
    _refuse("results stream", f"{len(awaited)} answers did not come within {PATIENCE_SECONDS:.0f} s")


def _refuse(where: str, why: str) -> NoReturn:
    say(f"{where}: {why}")
    sys.exit(BAD_INPUT)
