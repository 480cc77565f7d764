"""NVIDIA Dynamo's graph deployments: services, of which some serve a model."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..objects import Neighbours
from ..replica import PodTemplate, Replica, pod_template
from ..shapes import count, listing, mapping, text

_MAIN = "main"
_GPU = "nvidia.com/gpu"
"""The resource that ``gpu`` stands for unless ``gpuType`` names one.  Source: Dynamo, graph deployments v1alpha1."""


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as all kinds
    """A replica for each service, on as many nodes as it takes."""
    spec = mapping(object.get("spec"), "spec")
    variables = list(listing(spec.get("envs", spec.get("env")), "spec.envs"))
    for name, each in mapping(spec.get("services"), "spec.services").items():
        place = f"spec.services.{name}"
        service = mapping(each, place)
        yield _replica(service, PodTemplate(place=place, spec=_pod(service, place, variables)), place)
    yield from _components(spec, variables)


def _components(spec: Mapping[str, Any], variables: list[Any]) -> Iterator[Replica]:
    """Services as v1beta1 has them: a list, with pod templates as Kubernetes has them."""
    for number, each in enumerate(listing(spec.get("components"), "spec.components")):
        component = mapping(each, f"spec.components[{number}]")
        name = text(component.get("name"), f"spec.components[{number}].name")
        place = f"spec.components[{name or number}]"
        template = pod_template(mapping(component.get("podTemplate"), f"{place}.podTemplate"), f"{place}.podTemplate")
        containers = [
            {
                **mapping(one, template.place),
                "env": [*variables, *listing(mapping(one, template.place).get("env"), template.place)],
            }
            for one in listing(template.spec.get("containers"), f"{template.place}.containers")
        ]
        yield _replica(component, replace(template, spec={**template.spec, "containers": containers}), place)


def _replica(service: Mapping[str, Any], template: PodTemplate, place: str) -> Replica:
    multinode = mapping(service.get("multinode"), f"{place}.multinode")
    pods = max(count(multinode.get("nodeCount"), f"{place}.multinode.nodeCount"), 1)
    return Replica(leader=replace(template, pods=pods))


def _pod(service: Mapping[str, Any], place: str, variables: list[Any]) -> Mapping[str, Any]:
    """The pod of a service of v1alpha1: its main container, beside others of its own."""
    extra = mapping(service.get("extraPodSpec"), f"{place}.extraPodSpec")
    main = mapping(extra.get("mainContainer"), f"{place}.extraPodSpec.mainContainer")
    own = [
        *variables,
        *listing(service.get("envs"), f"{place}.envs"),
        *listing(main.get("env"), f"{place}.mainContainer.env"),
    ]
    resources = mapping(service.get("resources"), f"{place}.resources")
    container = {"name": _MAIN, **main, "env": own}
    if resources:
        container["resources"] = {kind: _spelt_out(resources, kind, place) for kind in ("requests", "limits")}
    rest = {name: value for name, value in extra.items() if name != "mainContainer"}
    return {**rest, "containers": [container, *listing(extra.get("containers"), f"{place}.extraPodSpec.containers")]}


def _spelt_out(resources: Mapping[str, Any], kind: str, place: str) -> Mapping[str, Any]:
    """Resources with the vendor's name for GPUs."""
    asked = dict(mapping(resources.get(kind), f"{place}.resources.{kind}"))
    resource = asked.pop("gpuType", None) or _GPU
    gpus = asked.pop("gpu", None)
    custom = mapping(asked.pop("custom", None), f"{place}.resources.{kind}.custom")
    return {**asked, **custom, **({str(resource): gpus} if gpus is not None else {})}
