"""How the controller has pod sets decided."""

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
from .question import Question


class Decide(Protocol):
    """Decides on one object; it is called in a thread of its own, and may block.

    Raises: UnavailableError, QueueFullError.
    """

    def __call__(
        self, value: Mapping[str, Any], surroundings: Surroundings, *, identity: Identity, mode: Mode
    ) -> Decision:
        """The decision; ``identity`` is the same for the same question, also after a restart."""


def identity_of(question: Question) -> Identity:
    """What names the round in which a workload is weighed: flavours are assigned anew in each, and stand for it."""
    return Identity(
        uid=question.uid, generation=question.generation, flavor=json.dumps([question.flavors, question.attempt])
    )


def over_the_queue(weigher: QueueWeigher, policy: AdmissionSettings) -> Decide:
    """Decides by ``policy`` on what the workers find; what they cannot answer in time comes out as ``unavailable``."""
    flavors, versions = policy.flavors(), installed_versions()

    def decided(value: Mapping[str, Any], surroundings: Surroundings, *, identity: Identity, mode: Mode) -> Decision:
        told = replace(surroundings, gpu=policy.gpu, flavors={**surroundings.flavors, **flavors})
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
