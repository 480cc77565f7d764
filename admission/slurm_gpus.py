"""The GPUs that a Slurm job asks for: by options of its script, or by variables of its environment."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .manifest.errors import UnreadableError
from .manifest.quantity import positive

_OPTIONS = {"-G": "gpus", "-N": "nodes", "-n": "ntasks", "-C": "constraint"}
"""Short options by their long names.  Source: Slurm documentation, sbatch."""

_VARIABLES = {
    "nodes": ("SLURM_JOB_NUM_NODES", "SLURM_NNODES"),
    "ntasks": ("SLURM_NTASKS", "SLURM_NPROCS"),
    "gpus": ("SLURM_GPUS", "SBATCH_GPUS"),
    "gpus-per-node": ("SLURM_GPUS_PER_NODE", "SLURM_GPUS_ON_NODE", "SBATCH_GPUS_PER_NODE"),
    "gpus-per-task": ("SLURM_GPUS_PER_TASK", "SBATCH_GPUS_PER_TASK"),
    "gres": ("SLURM_TRES_PER_NODE", "SLURM_JOB_GRES", "SBATCH_GRES"),
    "constraint": ("SLURM_JOB_CONSTRAINTS", "SBATCH_CONSTRAINT"),
}
"""Variables that say the same, the surest first.  Source: Slurm documentation, sbatch and prolog and epilog."""

_GPU = re.compile(
    r"(?:gres[:/])?gpu(?:[:/](?P<type>[^:=,()\s]*[^0-9:=,()\s][^:=,()\s]*))?(?:[:=](?P<count>[0-9]{1,6}))?(?:\(.*\))?"
)
_TYPED = re.compile(r"(?:(?P<type>[^:=,()\s]*[^0-9:=,()\s][^:=,()\s]*):)?(?P<count>[0-9]{1,6})")
_MIG = re.compile(r"(?:.*[._-])?([0-9]{1,2}g\.[0-9]{1,4}gb)")
_DIRECTIVE = re.compile(r"^#SBATCH\s+(.*)$", re.MULTILINE)
_NAMED_BY_CONSTRAINT = re.compile(r"[A-Za-z0-9_.-]+")


@dataclass(frozen=True, kw_only=True)
class JobGpus:
    """What a job asks for."""

    count: int = 0
    """On all of its nodes together."""
    per_node: int = 0
    nodes: int = 1
    type: str | None = None
    mig: str | None = None


def gpus_of_job(script: str, environment: Mapping[str, str]) -> JobGpus:
    """The GPUs that the job of ``script`` gets: its directives count where no variable says otherwise.

    Raises: UnreadableError.
    """
    asked = {**_directives(script), **_set(environment)}
    nodes, tasks = _number(asked, "nodes"), _number(asked, "ntasks")
    per_node = total = 0
    kind = None
    for name, value in asked.items():
        if name in ("gres", "gpus-per-node"):
            count, named = _counted(value, name)
            per_node, kind = max(per_node, count), named or kind
        elif name in ("gpus", "gpus-per-task"):
            count, named = _counted(value, name)
            total, kind = max(total, count * (tasks if name == "gpus-per-task" else 1)), named or kind
    mig = _MIG.fullmatch(kind) if kind else None
    constraint = asked.get("constraint", "")
    if kind is None and _NAMED_BY_CONSTRAINT.fullmatch(constraint):
        kind = constraint
    count = max(total, per_node * nodes)
    return JobGpus(
        count=count,
        per_node=per_node or -(-count // nodes),
        nodes=nodes,
        type=None if mig else kind,
        mig=mig[1] if mig else None,
    )


def _directives(script: str) -> dict[str, str]:
    """Options of the ``#SBATCH`` lines, by their long names; the last of each wins."""
    lines = (match[1].partition(" #")[0] for match in _DIRECTIVE.finditer(script))
    return dict(pair for line in lines for pair in _pairs(line.split()))


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    for position, word in enumerate(words):
        if word.startswith("--"):
            name, has_value, value = word[2:].partition("=")
            yield name, value if has_value else "".join(words[position + 1 : position + 2])
        elif word[:2] in _OPTIONS:
            yield _OPTIONS[word[:2]], word[2:] or "".join(words[position + 1 : position + 2])


def _set(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        option: next(environment[name] for name in names if environment.get(name))
        for option, names in _VARIABLES.items()
        if any(environment.get(name) for name in names)
    }


def _number(asked: Mapping[str, str], name: str) -> int:
    """The least of a number, or of a range such as ``2-4``; 1 where nothing is said."""
    given = asked.get(name, "1").partition("-")[0]
    if (number := positive(given, _DIGITS)) is None:
        raise UnreadableError(f"--{name} cannot be {asked[name]!r:.60}", reason="ArgumentUnreadable", field=name)
    return number


_DIGITS = 6
"""Of a number of nodes or tasks, at most."""


def _counted(value: str, name: str) -> tuple[int, str | None]:
    """How many GPUs ``value`` is, and of which type: ``gpu:h100:4`` of a gres, ``h100:4`` or ``4`` elsewhere.

    Raises: UnreadableError.
    """
    count, kind = 0, None
    for each in value.split(","):
        if name == "gres":
            match = _GPU.fullmatch(each.strip())
            if match is None:
                continue
        else:
            match = _TYPED.fullmatch(each.strip())
            if match is None:
                raise UnreadableError(f"--{name} cannot be {value!r:.60}", reason="ArgumentUnreadable", field=name)
        count += int(match["count"] or 1)
        kind = match["type"] or kind
    return count, kind
