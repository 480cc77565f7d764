"""Several servers in one container, and the devices that each of them sees."""

from collections.abc import Sequence
from dataclasses import replace

from .environment import Environment
from .errors import UnreadableError
from .gpu_rows import load_gpu_rows
from .resources import Asked


def visible(environment: Environment, gpus: Asked) -> Asked:
    """Of ``gpus``, those that a process with ``environment`` is let see."""
    devices = _devices(environment)
    return replace(gpus, count=min(len(devices), gpus.count)) if devices else gpus


def refuse_crowd(environments: Sequence[Environment], fractions: Sequence[float | None]) -> None:
    """Raises: UnreadableError for servers that start side by side on the same GPUs, each as if it were alone."""
    devices = [_devices(each) for each in environments]
    seen = frozenset[str]().union(*filter(None, devices))
    are_apart = all(devices) and len(seen) == sum(len(each or ()) for each in devices)
    share = all(fractions) and sum(filter(None, fractions)) <= 1
    if len(environments) > 1 and not are_apart and not share:
        raise UnreadableError(
            f"{len(environments)} model servers start on the same GPUs; give each a container of its own, or fractions "
            "of the memory that add up to at most 1",
            reason="ArgumentUnreadable",
        )


def _devices(environment: Environment) -> frozenset[str] | None:
    """The devices a process is let see; None where that is all of its container's."""
    listed = environment.get(load_gpu_rows().visible_variable.name)
    devices = frozenset(each.strip() for each in (listed or "").split(","))
    return devices if all(each.isdigit() for each in devices) else None
