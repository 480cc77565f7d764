"""How the controller has pod sets decided."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol

from schemas.decision import Decision, Mode

from ..context import Context, Identity
from ..decide import decide
from ..manifest.reading import Surroundings
from ..settings import AdmissionSettings
from ..weighing import installed_versions
from .over_the_queue import QueueWeigher
from .pod_sets import Placed
from .question import Question


class Decide(Protocol):
    """Decides on one object; it is called in a thread of its own, and may block.

    Raises: UnavailableError, QueueFullError.
    """

    def __call__(
        self, value: Mapping[str, Any], surroundings: Surroundings, *, identity: Identity, mode: Mode
    ) -> Decision:
        """The decision; ``identity`` is the same for the same question, also after a restart."""


def identity_of(question: Question, placed: Placed) -> Identity:
    """What names the round in which these pod sets of a workload are weighed."""
    told = [placed.pod_sets, question.flavors, question.attempt]
    # The flavour is assigned anew in each round, so it stands for the round.
    return Identity(
        uid=question.uid,
        generation=question.generation,
        flavor=f"{placed.flavor or ''}#{hashlib.sha256(json.dumps(told).encode()).hexdigest()}",
    )


def surroundings_of(placed: Placed) -> Surroundings:
    """What is known beside the pod sets: the flavour they were assigned, and the GPU that it is annotated with."""
    return Surroundings(gpu=placed.gpu, assigned_flavor=placed.flavor)


def over_the_queue(weigher: QueueWeigher, policy: AdmissionSettings) -> Decide:
    """Decides by ``policy`` on what the workers find; what they cannot answer in time comes out as ``unavailable``."""
    flavors, versions = policy.flavors(), installed_versions()

    def decided(value: Mapping[str, Any], surroundings: Surroundings, *, identity: Identity, mode: Mode) -> Decision:
        told = replace(surroundings, gpu=surroundings.gpu or policy.gpu, flavors=flavors)
        context = Context(
            weigh=partial(weigher.weigh, identity),
            surroundings=told,
            mode=mode,
            fail_open=policy.fail_open,
            allow_unknown=policy.allow_unknown,
            identity=identity,
            versions=versions,
        )
        return decide(value, context)

    return decided
