"""``weighbridge check``: decides in this process about the objects in manifests."""

import sys
from typing import cast

import click

from schemas.decision import Mode

from .decisions import context_here, decisions_status, mode_option, named, print_json, print_table
from .manifest_files import read_manifests


@click.command("check")
@click.option(
    "--filename",
    "-f",
    "files",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="A manifest, or - for standard input; may be given several times.",
)
@click.option("--gpu", help="GPU type where an object names none.")
@mode_option("As which mode of a cluster to decide; warn and off let everything in.")
@click.option("--json", "as_json", is_flag=True, help="One decision a line, as JSON.")
def check(files: tuple[str, ...], gpu: str | None, mode: str, *, as_json: bool) -> None:
    """Weigh what the Kubernetes objects in manifests serve, as a cluster would before it lets them in.

    YAML or JSON, with any number of objects; those that refer to each other belong into the same call.  Nothing is sent
    anywhere.  Exit status: 0 all may be let in, 1 some may not, 2 bad input.
    """
    objects = read_manifests(files)
    from admission.decide import decide
    from admission.manifest.reading import Surroundings

    context = context_here(Surroundings(objects=objects, gpu=gpu), cast("Mode", mode))
    told = [(named(each), decide(each, context)) for each in objects]
    if as_json:
        print_json(decision for _, decision in told)
    else:
        print_table(told)
    sys.exit(decisions_status(decision for _, decision in told))
