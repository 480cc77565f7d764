"""How the controller has pod sets decided, whoever weighs them."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Protocol

from schemas.decision import Decision, Mode

from ..manifest.reading import Surroundings
from .pod_sets import Placed
from .question import Question


class Decide(Protocol):
    """Decides on one object; it is called in a thread of its own, and may block.

    Raises: UnavailableError, QueueFullError.
    """

    def __call__(self, value: Mapping[str, Any], surroundings: Surroundings, *, identity: str, mode: Mode) -> Decision:
        """The decision; ``identity`` is the same for the same question, also after a restart."""


def identity_of(question: Question, placed: Placed) -> str:
    """What names the round in which these pod sets of a workload are weighed: a SHA-256 in hexadecimal."""
    told = [question.uid, question.generation, question.flavors, question.attempt, placed.pod_sets]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def surroundings_of(placed: Placed) -> Surroundings:
    """What is known beside the pod sets: what their flavours say of the GPU."""
    return Surroundings(
        gpu=placed.gpu,
        flavors={placed.flavor: placed.gpu} if placed.flavor and placed.gpu else {},
        assigned_flavor=placed.flavor,
    )
