"""What the engine would plan with if its GPU showed more or less memory than it does."""

from .catalog.error_correction import bytes_switched
from .deployment import Deployment
from .engine import usable_bytes


def usable_by_the_box(deployment: Deployment) -> int:
    """Bytes the engine would plan with if a process saw all that the GPU is sold with."""
    if not _is_whole(deployment):
        return usable_bytes(deployment.engine, deployment.gpu_memory_bytes)
    return usable_bytes(deployment.engine, deployment.gpu.box_bytes)


def usable_with_ecc_switched(deployment: Deployment) -> int | None:
    """Bytes the engine would plan with if error correction were off where it is on, or on where it is off.

    None where the catalogue does not know what the other way would change.
    """
    switched = bytes_switched(deployment.gpu) if _is_whole(deployment) else None
    return None if switched is None else usable_bytes(deployment.engine, switched)


def _is_whole(deployment: Deployment) -> bool:
    """Whether it is the memory of the catalogue's GPU, neither a slice of it nor what the request says."""
    return deployment.gpu_memory_bytes == deployment.gpu.memory_bytes
