"""What a decision rests on beside the object itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.decision import Mode
from schemas.recommendation import ErrorAnswer, Recommendation, Versions

from .manifest.read import read
from .manifest.reading import Reading, Surroundings
from .weighing import installed_versions, weigh_here

Weigh = Callable[[Mapping[str, Any]], Recommendation | ErrorAnswer]
"""From a sizing request to its answer.  May raise UnavailableError, QueueFullError or DeadlineExceededError."""

Read = Callable[[Mapping[str, Any], Surroundings], Reading]
"""From an object to what serves a model in it."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which object it is, and in which of its states."""

    uid: str | None = None
    generation: int | None = None
    flavor: str | None = None
    """ResourceFlavor that was assigned."""


@dataclass(frozen=True, kw_only=True)
class Context:
    """By whom, with what and by which policy an object is decided on."""

    weigh: Weigh = weigh_here
    read: Read = read
    surroundings: Surroundings = field(default_factory=Surroundings)
    mode: Mode = "warn"
    fail_open: bool = True
    """Whether what could not be weighed in time is let in; only asked in the mode ``enforce``."""
    allow_unknown: bool = True
    """Whether what rests on a model or a GPU that is not known is let in; only asked in the mode ``enforce``."""
    identity: Identity = field(default_factory=Identity)
    deadline_seconds: float | None = None
    """After this long nothing more is weighed; null waits for as long as it takes."""
    versions: Versions = field(default_factory=installed_versions)
    """By which rules and which catalogue ``weigh`` answers, as part of the decision's id."""
