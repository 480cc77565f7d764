"""What a check is answered: its state, by what was decided of the pod sets, and how the status carries it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.decision import Decision

from .names import (
    DECISION_ANNOTATION,
    DECISION_ID_ANNOTATION,
    RECOMMENDED_ARGUMENTS_ANNOTATION,
    CheckState,
)
from .pod_sets import Placed
from .question import Question

Object = Mapping[str, Any]

RETRY_SECONDS = (30, 60, 120)
"""How long Kueue waits before each next round; the last one from then on."""
LONGEST_MESSAGE = 32_768
"""Characters that the API takes."""
CUT = " …"


@dataclass(frozen=True, kw_only=True)
class Decided:
    """Pod sets, and what was decided of them."""

    placed: Placed
    decision: Decision


def retry_seconds(retries: int) -> int:
    """How long to wait after ``retries`` rounds that found nobody to weigh."""
    return RETRY_SECONDS[min(retries, len(RETRY_SECONDS) - 1)]


def state_of(decisions: Iterable[Decision]) -> CheckState:
    """Rejected where one is refused, else Retry where one could not be weighed, else Ready.

    Rejected deactivates a workload until its owner takes it up again: it is for what was found of it, never for what
    could not be found out.
    """
    decided = list(decisions)
    if any(not decision.allowed and decision.code != "unavailable" for decision in decided):
        return "Rejected"
    if any(decision.code == "unavailable" and decision.bypass is None for decision in decided):
        return "Retry"
    return "Ready"


def answered(question: Question, decided: Sequence[Decided], *, annotate: bool, retries: int, now: str) -> Object:
    """The entry of ``question``'s check in the workload's status."""
    state = state_of(each.decision for each in decided)
    entry = _entry(question, state, _message(decided), retries=retries, now=now)
    if state == "Ready" and annotate and (updates := [update for each in decided for update in _updates(each)]):
        return {**entry, "podSetUpdates": updates}
    return entry


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
        entry["requeueAfterSeconds"] = retry_seconds(retries)
    return entry


def _message(decided: Sequence[Decided]) -> str:
    told = []
    for each in decided:
        where = ", ".join(each.placed.pod_sets) + (f" on {each.placed.flavor}" if each.placed.flavor else "")
        bypass = f" (let in by its annotation: {each.decision.bypass})" if each.decision.bypass is not None else ""
        told.append(f"{where}: {each.decision.reason}: {each.decision.message}{bypass}")
    return "\n".join(told)


def _updates(decided: Decided) -> list[Object]:
    decision = decided.decision
    if decision.code == "not_applicable":
        return []
    annotations = {DECISION_ANNOTATION: decision.code, DECISION_ID_ANNOTATION: decision.decision_id}
    arguments = [
        f"{container.container}: {' '.join(container.change.arguments)}"
        for container in decision.containers
        if container.change is not None and container.change.arguments
    ]
    if arguments:
        annotations[RECOMMENDED_ARGUMENTS_ANNOTATION] = "; ".join(arguments)
    return [{"name": name, "annotations": annotations} for name in decided.placed.pod_sets]
