"""Kueue's Workload: sets of pods, with the flavours that were assigned to them."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..gpu_rows import load_gpu_rows
from ..objects import Neighbours
from ..replica import PodTemplate, Replica, pod_template
from ..shapes import count, listing, mapping, text

_FOLLOW = ("worker", "workers")
"""Names of pod sets that make one replica with the set before them.  Source: Kueue, LeaderWorkerSet integration."""


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as all kinds
    """A replica for each pod set; workers go with their leader."""
    flavors = _flavors(object)
    leaders: list[tuple[PodTemplate, list[PodTemplate], str | None]] = []
    for number, each in enumerate(listing(mapping(object.get("spec"), "spec").get("podSets"), "spec.podSets")):
        pod_set = mapping(each, f"spec.podSets[{number}]")
        name = text(pod_set.get("name"), f"spec.podSets[{number}].name")
        place = f"spec.podSets[{name or number}].template"
        template = mapping(pod_set.get("template"), place)
        pods = count(pod_set.get("count"), f"spec.podSets[{number}].count")
        if name in _FOLLOW and leaders:
            leaders[-1][1].append(pod_template(template, place, pods=pods))
        else:
            leaders.append((pod_template(template, place), [], flavors.get(name)))
    return [Replica(leader=leader, followers=followers, flavor=flavor) for leader, followers, flavor in leaders]


def _flavors(object: Mapping[str, Any]) -> dict[str | None, str]:  # noqa: A002 - Kubernetes' word
    """The flavour that gives each pod set its GPUs."""
    admission = mapping(mapping(object.get("status"), "status").get("admission"), "status.admission")
    found: dict[str | None, str] = {}
    place = "status.admission.podSetAssignments"
    for number, each in enumerate(listing(admission.get("podSetAssignments"), place)):
        assignment = mapping(each, f"{place}[{number}]")
        for resource, flavor in mapping(assignment.get("flavors"), f"{place}[{number}].flavors").items():
            if resource in load_gpu_rows().resource and isinstance(flavor, str):
                found[text(assignment.get("name"), f"{place}[{number}].name")] = flavor
    return found
