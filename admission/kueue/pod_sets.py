"""A workload's pod sets as the objects that are weighed, placed where Kueue would place them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .names import GPU_ANNOTATION
from .question import Question

Object = Mapping[str, Any]

LEADER, WORKER = "leader", "worker"
"""The pod sets that Kueue makes of one group of a LeaderWorkerSet which has a leader of its own."""
GROUPED = "LeaderWorkerSet"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Pods that serve together, with the node labels of the flavours that were assigned."""

    pod_sets: tuple[str, ...]
    object: Object
    gpu: str | None
    """The GPU type that a flavour is annotated with."""
    flavor: str | None
    """Name of the flavour of the GPUs, or of whatever was assigned where there are none."""


def placed(workload: Object, question: Question, flavors: Mapping[str, Object]) -> list[Placed]:
    """What of ``workload`` is weighed, each part by itself; ``flavors`` are the cluster's ResourceFlavors by name."""
    pod_sets = workload["spec"].get("podSets") or []
    names = tuple(pod_set.get("name", "main") for pod_set in pod_sets)
    templates = {
        name: _on(_assigned(question, name, flavors), pod_set["template"])
        for name, pod_set in zip(names, pod_sets, strict=True)
    }
    counts = {name: pod_set.get("count", 1) for name, pod_set in zip(names, pod_sets, strict=True)}
    metadata = {key: workload["metadata"][key] for key in ("name", "namespace")}
    if set(names) == {LEADER, WORKER}:
        template = {"leaderTemplate": templates[LEADER], "workerTemplate": templates[WORKER]}
        size = counts[LEADER] + counts[WORKER]
        return [_together(names, _group(metadata, template, size), question, flavors)]
    owners = {owner.get("kind") for owner in workload["metadata"].get("ownerReferences") or []}
    if GROUPED in owners and len(names) == 1:
        template = {"workerTemplate": templates[names[0]]}
        return [_together(names, _group(metadata, template, counts[names[0]]), question, flavors)]
    return [_together((name,), _pod(metadata, templates[name]), question, flavors) for name in names]


def _together(names: Sequence[str], value: Object, question: Question, flavors: Mapping[str, Object]) -> Placed:
    assigned = sorted({(_is_common(resource), flavor) for name, resource, flavor in question.flavors if name in names})
    gpus = [
        gpu
        for _, flavor in assigned
        if (gpu := ((flavors.get(flavor) or {}).get("metadata") or {}).get("annotations", {}).get(GPU_ANNOTATION))
    ]
    return Placed(
        pod_sets=tuple(names),
        object=value,
        gpu=gpus[0] if gpus else None,
        flavor=assigned[0][1] if assigned else None,
    )


def _is_common(resource: str) -> bool:
    """Whether every node has it: what a device plugin brings is named with the domain of who makes it."""
    return "/" not in resource


def _named(question: Question, pod_set: str) -> list[str]:
    return [flavor for name, _, flavor in question.flavors if name == pod_set]


def _assigned(question: Question, pod_set: str, flavors: Mapping[str, Object]) -> dict[str, str]:
    """Labels of the nodes that the assigned flavours stand for."""
    labels: dict[str, str] = {}
    for flavor in _named(question, pod_set):
        labels |= (flavors.get(flavor, {}).get("spec") or {}).get("nodeLabels") or {}
    return labels


def _on(labels: Mapping[str, str], template: Object) -> Object:
    """The template with the node selector that Kueue gives it when it is admitted."""
    spec = template.get("spec") or {}
    return {**template, "spec": {**spec, "nodeSelector": {**(spec.get("nodeSelector") or {}), **labels}}}


def _pod(metadata: Object, template: Object) -> Object:
    told = {key: value for key, value in (template.get("metadata") or {}).items() if key in {"labels", "annotations"}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, **told}, "spec": template["spec"]}


def _group(metadata: Object, templates: Object, size: int) -> Object:
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": GROUPED,
        "metadata": metadata,
        "spec": {"replicas": 1, "leaderWorkerTemplate": {**templates, "size": size}},
    }
