"""``weighbridge slurm``: for a submit wrapper, or the prolog that the controller runs."""

import os
import sys
from typing import BinaryIO, cast

import click

from schemas.decision import Mode

from .decisions import context_here, decisions_status, mode_option, one_line, print_json
from .exit_status import BAD_INPUT


@click.group("slurm")
def slurm() -> None:
    """Ask before Slurm runs a job."""


@slurm.command("check")
@click.argument("script", default="-", type=click.File("rb"))
@click.option("--gpu", help="GPU type where the job names none.")
@mode_option("Whether what does not fit is refused; warn and off let everything run.")
@click.option("--json", "as_json", is_flag=True, help="The decision, as JSON.")
def check(script: BinaryIO, gpu: str | None, mode: str, *, as_json: bool) -> None:
    """Weigh the model server that the batch SCRIPT starts, on the GPUs that the job asks for; one line says why.

    GPUs come from #SBATCH lines and the variables Slurm sets; WEIGHBRIDGE_JOB_MODEL, _GPU, _GPU_COUNT,
    _MAX_MODEL_LEN and the like say what the script does not, WEIGHBRIDGE_JOB_BYPASS why to run it all the same.  Exit
    status: 0 it may run, 1 it may not, 2 bad input.
    """
    try:
        text = script.read().decode()
    except UnicodeDecodeError:
        click.echo("error: the script is not UTF-8", err=True)
        sys.exit(BAD_INPUT)
    from admission.decide import decide_on
    from admission.manifest.reading import Surroundings
    from admission.slurm import read_job

    surroundings = Surroundings(gpu=gpu)
    reading = read_job(text, os.environ, surroundings)
    # What tells one job from another is its script and what is asked of GPUs.
    job = {"script": text, "requests": [dict(server.request) for server in reading.servers]}
    decision = decide_on(job, reading, context_here(surroundings, cast("Mode", mode)))
    if as_json:
        print_json([decision])
    else:
        click.echo(one_line(decision))
    sys.exit(decisions_status([decision]))
