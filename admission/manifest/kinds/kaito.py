"""KAITO's Workspace: a preset model on machines of one type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sizing.catalog.rows import CLOSED, read_yaml

from ..config_file import parse_fields
from ..errors import UnreadableError
from ..flags import as_arguments
from ..gpu_rows import load_gpu_rows
from ..objects import Neighbours
from ..replica import PodTemplate, Replica, pod_template
from ..shapes import count, mapping, text

_CONFIG_KEY = "inference_config.yaml"
_MACHINE_LABEL = "node.kubernetes.io/instance-type"
_BY_TRANSFORMERS = ("kaito.sh/runtime", "transformers")
"""Annotation, and its value, that chooses Transformers in place of vLLM.  Source: KAITO documentation, inference."""


@dataclass(frozen=True, kw_only=True)
class _Presets:
    __pydantic_config__ = CLOSED

    presets: dict[str, str]
    """Repository of each preset, by its name."""
    source: str


@cache
def _presets() -> _Presets:
    return read_yaml("kaito_presets.yaml", _Presets, files(__package__))


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002 - as all kinds
    """The pods that a preset is served by, or those of a template."""
    inference = mapping(object.get("inference"), "inference")
    resource = mapping(object.get("resource"), "resource")
    template = mapping(inference.get("template"), "inference.template")
    selected = _selector(resource)
    if template:
        pods = pod_template(template, "inference.template")
        spec = {**pods.spec, "nodeSelector": {**selected, **mapping(pods.spec.get("nodeSelector"), "nodeSelector")}}
        return [Replica(leader=PodTemplate(place=pods.place, spec=spec, annotations=pods.annotations))]
    preset = mapping(inference.get("preset"), "inference.preset")
    name = text(preset.get("name"), "inference.preset.name")
    if name is None:
        return []
    annotations = mapping(mapping(object.get("metadata"), "metadata").get("annotations"), "metadata.annotations")
    if annotations.get(_BY_TRANSFORMERS[0]) == _BY_TRANSFORMERS[1]:
        raise UnreadableError(
            "presets that Transformers serves are not weighed; serve it with vLLM",
            reason="KindNotSupported",
            field="metadata",
        )
    machine = load_gpu_rows().machine.get(str(resource.get("instanceType")))
    nodes = max(count(resource.get("count"), "resource.count"), 1)
    gpus = machine.gpus if machine else 1
    container = {
        "name": "preset",
        "command": ["vllm", "serve", _presets().presets.get(name, name)],
        "args": [
            *("--tensor-parallel-size", str(gpus), "--pipeline-parallel-size", str(nodes)),
            *_configured(inference, at_hand),
        ],
        "resources": {"limits": {"nvidia.com/gpu": gpus}},
    }
    assumed = ["KAITO splits a model over the GPUs of a machine, and over machines by layers"]
    if not machine:
        assumed.append("the type of machine is not listed, and is taken to have one GPU")
    return [
        Replica(
            leader=PodTemplate(
                place="inference.preset",
                spec={"nodeSelector": selected, "containers": [container]},
                pods=nodes,
                is_place_of_container=True,
            ),
            assumed=assumed,
            adapts_length=True,
        )
    ]


def _selector(resource: Mapping[str, Any]) -> dict[str, Any]:
    selected = mapping(resource.get("labelSelector"), "resource.labelSelector")
    labels = dict(mapping(selected.get("matchLabels"), "resource.labelSelector.matchLabels"))
    machine = text(resource.get("instanceType"), "resource.instanceType")
    return {**labels, **({_MACHINE_LABEL: machine} if machine else {})}


def _configured(inference: Mapping[str, Any], at_hand: Neighbours) -> list[str]:
    """The arguments in the ConfigMap that the workspace names.

    Raises: UnreadableError where it is not at hand.
    """
    name = text(inference.get("config"), "inference.config")
    if name is None:
        return []
    data = (at_hand.find("ConfigMap", name) or {}).get("data")
    content = data.get(_CONFIG_KEY) if isinstance(data, Mapping) else None
    if not isinstance(content, str):
        raise UnreadableError(
            f"the ConfigMap {name!r} is not at hand; give it too", reason="ReferenceNotAtHand", field="inference.config"
        )
    fields = parse_fields(content, _CONFIG_KEY)
    return as_arguments(mapping(fields.get("vllm"), f"{_CONFIG_KEY}.vllm"))
