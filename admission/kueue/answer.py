"""What a check is answered: its state, by what was decided, and how the status carries it."""

import re
from collections.abc import Mapping
from typing import Any

from schemas.decision import Decision

from .names import (
    DECISION_ANNOTATION,
    DECISION_ID_ANNOTATION,
    RECOMMENDED_ARGUMENTS_ANNOTATION,
    CheckState,
)
from .pauses import pause
from .question import Question

Object = Mapping[str, Any]

RETRY_SECONDS = (30, 60, 120)
"""How long Kueue waits before each next round; the last one from then on."""
LONGEST_MESSAGE = 32_768
"""Characters that the API takes."""
CUT = " …"

_POD_SET = re.compile(r"spec\.podSets\[(?P<name>[^\]]+)\]")
"""Where a container stands that was read of a workload."""


def state_of(decision: Decision) -> CheckState:
    """Rejected where it is refused, Retry where nobody could weigh it, else Ready.

    Rejected deactivates a workload until its owner takes it up again: it is for what was found of it, never for what
    could not be found out.
    """
    if decision.code == "unavailable" and decision.bypass is None:
        return "Retry"
    return "Ready" if decision.allowed or decision.code == "unavailable" else "Rejected"


def answered(question: Question, decision: Decision, *, annotate: bool, retries: int, now: str) -> Object:
    """The entry of ``question``'s check in the workload's status."""
    state = state_of(decision)
    entry = _entry(question, state, _message(question, decision), retries=retries, now=now)
    if state == "Ready" and annotate and (updates := _updates(decision)):
        return {**entry, "podSetUpdates": updates}
    return entry


def waved_through(question: Question, *, now: str) -> Object:
    """The entry where the mode is off: nothing is weighed, and nobody waits."""
    return _entry(question, "Ready", "not weighed: the mode is off", retries=0, now=now)


def put_off(question: Question, why: str, *, retries: int, now: str) -> Object:
    """The entry where nothing could be decided."""
    return _entry(question, "Retry", why, retries=retries, now=now)


def with_answer(workload: Object, entry: Object) -> Object:
    """The merge patch of the workload's status that answers one check and leaves the others as they were read.

    A merge patch replaces the list whole, so the version that was read is the lock.
    """
    entries = workload["status"]["admissionChecks"]
    taken = _taken(workload, entry["name"])
    return {
        "metadata": {"resourceVersion": workload["metadata"]["resourceVersion"]},
        "status": {
            "admissionChecks": [
                _merged(each, entry, taken) if each["name"] == entry["name"] else each for each in entries
            ]
        },
    }


def _merged(before: Object, entry: Object, taken: Mapping[str, set[str]]) -> Object:
    kept = {"retryCount": before["retryCount"]} if "retryCount" in before else {}
    if "podSetUpdates" not in entry:
        return {**kept, **entry}
    # One key that is there already makes Kueue refuse the workload at the last moment.
    updates = [
        {"name": update["name"], "annotations": left}
        for update in entry["podSetUpdates"]
        if (
            left := {
                key: value
                for key, value in update["annotations"].items()
                if key not in taken.get(update["name"], set())
            }
        )
    ]
    rest = {key: value for key, value in entry.items() if key != "podSetUpdates"}
    return {**kept, **rest, **({"podSetUpdates": updates} if updates else {})}


def _taken(workload: Object, check: str) -> dict[str, set[str]]:
    """Annotations that each pod set has, or is given by another check."""
    taken = {
        pod_set.get("name", "main"): set((pod_set["template"].get("metadata") or {}).get("annotations") or {})
        for pod_set in workload["spec"].get("podSets") or []
    }
    for entry in workload["status"]["admissionChecks"]:
        for update in (entry.get("podSetUpdates") or []) if entry["name"] != check else []:
            taken.setdefault(update["name"], set()).update(update.get("annotations") or {})
    return taken


def _entry(question: Question, state: CheckState, message: str, *, retries: int, now: str) -> Object:
    entry: dict[str, Any] = {
        "name": question.check,
        "state": state,
        "message": message if len(message) <= LONGEST_MESSAGE else message[: LONGEST_MESSAGE - len(CUT)] + CUT,
        "lastTransitionTime": now,
    }
    if state == "Retry":
        entry["requeueAfterSeconds"] = pause(RETRY_SECONDS, retries)
    return entry


def _message(question: Question, decision: Decision) -> str:
    flavors = ", ".join(dict.fromkeys(flavor for _, _, flavor in question.flavors))
    weighed = f" (weighed on {flavors})" if flavors else ""
    bypass = f"; let in by its annotation: {decision.bypass}" if decision.bypass is not None else ""
    return f"{decision.reason}: {decision.message}{weighed}{bypass}"


def _updates(decision: Decision) -> list[Object]:
    """Annotations for each pod set in which something serves a model."""
    arguments: dict[str, list[str]] = {}
    for container in decision.containers:
        if (place := _POD_SET.match(container.container)) is not None:
            changes = container.change.arguments if container.change is not None else ()
            arguments.setdefault(place["name"], []).extend(changes)
    told = {DECISION_ANNOTATION: decision.code, DECISION_ID_ANNOTATION: decision.decision_id}
    return [
        {
            "name": name,
            "annotations": {**told, **({RECOMMENDED_ARGUMENTS_ANNOTATION: " ".join(changes)} if changes else {})},
        }
        for name, changes in arguments.items()
    ]
