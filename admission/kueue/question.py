"""What a workload asks of one check of ours: whether these pod sets may start on these flavours."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Question:
    """One check of one workload in one round of admission; two that are equal have the same answer.

    The race that it settles: an answer that comes after the workload was evicted, or was given another flavour, is
    the answer to another question.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    check: str
    flavors: tuple[tuple[str, str, str], ...]
    """Pod set, resource and flavour, of each that was assigned."""
    attempt: str
    """What tells this round from one that was answered with Retry, and stays over a restart of the controller."""


def questions(workload: Object, checks: Collection[str]) -> list[Question]:
    """What ``workload`` asks of ``checks`` now; nothing unless it has its quota and they are pending."""
    metadata, status = workload["metadata"], workload.get("status") or {}
    if (
        metadata.get("deletionTimestamp")
        or (workload.get("spec") or {}).get("active") is False
        or not _holds(status, "QuotaReserved")
        or _holds(status, "Finished")
        or _holds(status, "Evicted")
    ):
        return []
    return [
        Question(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 0),
            check=entry["name"],
            flavors=tuple(_flavors(status)),
            attempt=_attempt(entry),
        )
        for entry in status.get("admissionChecks") or []
        if entry["name"] in checks and entry["state"] == "Pending"
    ]


def retries(workload: Object, check: str) -> int:
    """How often Kueue counts that ``check`` was answered with Retry."""
    entries = (workload.get("status") or {}).get("admissionChecks") or []
    return max((entry.get("retryCount") or 0 for entry in entries if entry["name"] == check), default=0)


def _attempt(entry: Object) -> str:
    # Kueue counts from the first retry on, and only in the versions that also wait before the next.
    return str(entry.get("retryCount") or entry.get("lastTransitionTime") or "")


def _holds(status: Object, condition: str) -> bool:
    return any(each["type"] == condition and each["status"] == "True" for each in status.get("conditions") or [])


def _flavors(status: Object) -> Iterator[tuple[str, str, str]]:
    for assignment in (status.get("admission") or {}).get("podSetAssignments") or []:
        for resource, flavor in sorted((assignment.get("flavors") or {}).items()):
            yield assignment.get("name", "main"), resource, flavor
