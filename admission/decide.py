"""The one decision about an object, whichever cluster asks."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.decision import ContainerDecision, Decision
from schemas.errors import QueueFullError, UnavailableError
from schemas.recommendation import Versions

from .containers import conclude_container, not_read, not_weighed, unavailable
from .context import Context
from .errors import DeadlineExceededError
from .identity import decision_id
from .manifest.reading import ModelServer, Reading
from .policy import lets_in, worst

ALTERNATIVES = 8
"""Alternatives that are weighed: a few of each kind, so that the smallest change is among them."""


def decide(object: Mapping[str, Any], context: Context) -> Decision:  # noqa: A002 - Kubernetes' word
    """What a cluster is told of ``object``."""
    return decide_on(object, context.read(object, context.surroundings), context)


def decide_on(object: Mapping[str, Any], reading: Reading, context: Context) -> Decision:  # noqa: A002 - as above
    """The decision about ``object``, of which ``reading`` was read."""
    due = None if context.deadline_seconds is None else time.monotonic() + context.deadline_seconds
    weighed = [_weighed(server, context, due) for server in reading.servers]
    return _concluded(object, reading, context, weighed)


def overdue(
    object: Mapping[str, Any],  # noqa: A002 - as above
    reading: Reading,
    context: Context,
    error: UnavailableError,
) -> Decision:
    """The decision about ``object`` where an answer is due and ``error`` kept all of it from being weighed."""
    weighed = [_Weighed(not_weighed(server, error)) for server in reading.servers]
    return _concluded(object, reading, context, weighed)


@dataclass(frozen=True, slots=True)
class _Weighed:
    found: ContainerDecision
    versions: Versions | None = None


def _weighed(server: ModelServer, context: Context, due: float | None) -> _Weighed:
    request = {**server.request, "alternatives": ALTERNATIVES}
    try:
        if due is not None and time.monotonic() >= due:
            return _Weighed(not_weighed(server, DeadlineExceededError("it could not be weighed in time")))
        answer = context.weigh(request)
    except UnavailableError as error:
        return _Weighed(not_weighed(server, error))
    except QueueFullError as error:
        return _Weighed(unavailable(server.container, error.message, request=server.request))
    return _Weighed(conclude_container(server, answer), getattr(answer, "versions", None))


def _concluded(
    object: Mapping[str, Any],  # noqa: A002 - as above
    reading: Reading,
    context: Context,
    weighed: Sequence[_Weighed],
) -> Decision:
    containers = [*(each.found for each in weighed), *map(not_read, reading.unreadable)]
    identity = decision_id(object, context)
    if not containers:
        return Decision(
            decision_id=identity,
            code="not_applicable",
            reason="NoModelServer",
            message="nothing in it serves a model on a GPU",
            containers=[],
            mode=context.mode,
            allowed=True,
            bypass=reading.bypass,
        )
    decisive = worst(containers, context)
    is_let_in = all(lets_in(found, context) for found in containers)
    is_bypassed = reading.bypass is not None and not is_let_in
    place = f"{decisive.container}: " if decisive.container else ""
    return Decision(
        decision_id=identity,
        code=decisive.code,
        reason="Bypassed" if is_bypassed else decisive.reason,
        message=f"{place}{decisive.message}",
        containers=containers,
        mode=context.mode,
        allowed=is_let_in or is_bypassed,
        bypass=reading.bypass,
        versions=next((each.versions for each in weighed if each.versions), None),
    )
