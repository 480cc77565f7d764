"""What a Slurm job serves: its batch script and its environment, read as a container would be."""

from collections.abc import Mapping
from typing import Any

from .manifest.annotations import PREFIX, reason_to_bypass
from .manifest.errors import UnreadableError
from .manifest.objects import Neighbours
from .manifest.reading import ModelServer, Reading, Surroundings, Unreadable
from .manifest.replica import PodTemplate, Replica
from .manifest.scene import Scene
from .manifest.servers import gathered, servers_of, unreadable
from .slurm_gpus import JobGpus, gpus_of_job

OVERRIDE = "WEIGHBRIDGE_JOB_"
"""What variables begin with that say what annotations say: WEIGHBRIDGE_JOB_MAX_MODEL_LEN for max-model-len."""

_PLACE = "script"


def read_job(script: str, environment: Mapping[str, str], surroundings: Surroundings | None = None) -> Reading:
    """What serves a model on the GPUs of the job that runs ``script`` in ``environment``.

    Nothing is fetched, run or raised.  A file that the script runs is not read.
    """
    known = surroundings or Surroundings()
    annotations: dict[str, Any] = {
        PREFIX + name.removeprefix(OVERRIDE).lower().replace("_", "-"): value
        for name, value in environment.items()
        if name.startswith(OVERRIDE)
    }
    found: list[ModelServer | Unreadable] = []
    try:
        gpus = gpus_of_job(script, environment)
        found += servers_of(_scene(script, environment, gpus, annotations, known))
    except UnreadableError as error:
        found.append(unreadable(_PLACE, error))
    return gathered(found, reason_to_bypass(annotations))


def _scene(
    script: str,
    environment: Mapping[str, str],
    gpus: JobGpus,
    annotations: Mapping[str, Any],
    surroundings: Surroundings,
) -> Scene:
    """The job as one pod with one container, which runs the script on all of its GPUs."""
    container = {
        "name": _PLACE,
        "command": ["bash", "-c", script],
        "resources": {"limits": {"nvidia.com/gpu": gpus.count}},
    }
    # What Slurm will set once the job runs, and what is set already.
    variables = {
        "SLURM_JOB_NUM_NODES": str(gpus.nodes),
        "SLURM_NNODES": str(gpus.nodes),
        "SLURM_GPUS_ON_NODE": str(gpus.per_node),
        **environment,
    }
    asked = {f"{PREFIX}gpu": gpus.type, f"{PREFIX}mig": gpus.mig}
    said = {**{name: value for name, value in asked.items() if value}, **annotations}
    leader = PodTemplate(place=_PLACE, spec={"containers": [container]}, is_place_of_container=True)
    return Scene(
        replica=Replica(leader=leader, variables=variables),
        annotations=said,
        at_hand=Neighbours(objects=surroundings.objects, namespace=None),
        surroundings=surroundings,
    )
