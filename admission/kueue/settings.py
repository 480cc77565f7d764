"""What an operator may set of the Kueue controller, beside the policy of all of admission."""

import socket
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.environment import FromEnvironment


class KueueSettings(FromEnvironment):
    """How workloads are answered, and how several controllers agree who works.

    Each field is the environment variable ``WEIGHBRIDGE_KUEUE_`` + its name in capitals.
    """

    prefix: ClassVar[str] = "WEIGHBRIDGE_KUEUE_"

    annotate: bool = True
    """Whether pods carry what was decided and recommended; the parameters of a check may say else."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 16
    """Workloads that are weighed at a time."""
    deadline_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    """How long a worker may take to answer; then the workload is told to come again."""
    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")] = "weighbridge"
    """Namespace of the lease that whoever works holds."""
    lease: Annotated[str, Field(pattern=r"^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$")] = "weighbridge-kueue"
    """Name of that lease."""
    identity: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,280}$")] = Field(default_factory=socket.gethostname)
    """Names a controller in the lease; one per pod."""
