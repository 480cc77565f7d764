"""A workload as it would start: its pods on the nodes that the assigned flavours stand for."""

from collections.abc import Mapping
from typing import Any

from .names import BYPASS_ANNOTATION, GPU_ANNOTATION
from .question import Question

Object = Mapping[str, Any]


def placed(workload: Object, question: Question, flavors: Mapping[str, Object]) -> Object:
    """``workload`` with the node selectors that Kueue gives its pods once it is admitted.

    ``flavors`` are the cluster's ResourceFlavors by name; one that is not there brings no labels.  The reason to let
    pods in whatever is found stands in their template, since Kueue gives a workload none of its owner's annotations.
    """
    pod_sets = workload["spec"].get("podSets") or []
    annotations = workload["metadata"].get("annotations") or {}
    bypass = {
        key: value
        for pod_set in pod_sets
        for key, value in _annotations(pod_set["template"]).items()
        if key == BYPASS_ANNOTATION
    }
    return {
        **workload,
        "metadata": {**workload["metadata"], "annotations": {**bypass, **annotations}},
        "spec": {
            **workload["spec"],
            "podSets": [
                {**pod_set, "template": _on(_labels(question, pod_set, flavors), pod_set["template"])}
                for pod_set in pod_sets
            ],
        },
    }


def gpus_of(flavors: Mapping[str, Object]) -> dict[str, str]:
    """GPU type by the name of each flavour that is annotated with one."""
    annotated = {name: _annotations(flavor).get(GPU_ANNOTATION) for name, flavor in flavors.items()}
    return {name: gpu for name, gpu in annotated.items() if gpu}


def _annotations(value: Object) -> Mapping[str, str]:
    return (value.get("metadata") or {}).get("annotations") or {}


def _labels(question: Question, pod_set: Object, flavors: Mapping[str, Object]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for name, _, flavor in question.flavors:
        if name == pod_set.get("name", "main"):
            labels |= (flavors.get(flavor, {}).get("spec") or {}).get("nodeLabels") or {}
    return labels


def _on(labels: Mapping[str, str], template: Object) -> Object:
    spec = template.get("spec") or {}
    return {**template, "spec": {**spec, "nodeSelector": {**(spec.get("nodeSelector") or {}), **labels}}}
