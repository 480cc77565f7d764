"""What an operator may set of the Kueue controller, read from the environment."""

import socket
from typing import Annotated

from pydantic import Field

from schemas.decision import Mode
from worker.settings import Settings


class KueueSettings(Settings):
    """Everything the queue can be told, and the controller."""

    kueue_mode: Mode = "warn"
    """What becomes of workloads that do not fit: nothing, a message, or Rejected; a check's parameters may say else."""
    kueue_annotate: bool = True
    """Whether pods carry what was decided and recommended; a check's parameters may say else."""
    kueue_concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Workloads that are weighed at a time."""
    kueue_deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    """How long a worker may take to answer; then the workload is told to come again."""
    kueue_namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] = "weighbridge"
    """Namespace of the lease by which several controllers agree who works."""
    kueue_lease: Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$")] = "weighbridge-kueue"
    """Name of that lease."""
    kueue_identity: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,280}$")] = Field(
        default_factory=socket.gethostname
    )
    """Names a controller in the lease; one per pod."""
