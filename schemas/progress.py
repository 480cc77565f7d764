"""How far a batch has come, as it is told on the progress stream."""

from typing import Literal

from .closed import Closed
from .vocabulary import Verdict


class BatchProgress(Closed):
    """One look at a batch by whoever runs it."""

    batch: str
    """Id of the batch."""
    catalog: str
    """Name of the catalogue file."""
    state: Literal["running", "waiting", "stopped", "finished"]
    """``waiting`` while the queue's server is away or takes no requests; a stopped batch can be resumed."""
    total: int
    """Cells in all."""
    done: int
    """Cells that are answered, errors among them."""
    errors: int
    verdicts: dict[Verdict, int]
    cells_per_second: float
    """Over the last seconds."""
    seconds: int
    """Since this run began."""
    seconds_left: int | None
    """At that rate; null while there is none."""
    at: int
    """When this was told, in Unix seconds."""
