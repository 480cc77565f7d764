"""KServe's InferenceService, with the ServingRuntime it names or is matched with."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..containers import Container
from ..errors import UnreadableError
from ..objects import Neighbours
from ..replica import PodTemplate, Replica
from ..resources import asked_by_resources
from ..shapes import count, listing, mapping, text, words
from .overlay import overlay

_RUNTIMES = ("ServingRuntime", "ClusterServingRuntime")
_CONTAINER = "kserve-container"
"""The container of a runtime that a model's settings go to.  Source: KServe documentation, serving runtimes."""
_SERVED_BY_VLLM = ("huggingface", "vllm")
"""Model formats whose runtime is vLLM's, in lower case.  Source: KServe documentation, Hugging Face runtime; Open Data
Hub documentation, vLLM runtimes."""
_OTHER_PARTS = ("transformer", "explainer")


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002 - as all kinds
    """The predictor, and the other parts of a service as the pods that they are."""
    spec = mapping(object.get("spec"), "spec")
    predictor = mapping(spec.get("predictor"), "spec.predictor")
    model = mapping(predictor.get("model"), "spec.predictor.model")
    if model:
        yield _of_model(model, predictor, at_hand)
    elif predictor:
        yield _of_pods(predictor, "spec.predictor", predictor)
    for name in _OTHER_PARTS:
        part = mapping(spec.get(name), f"spec.{name}")
        if part:
            yield Replica(leader=PodTemplate(place=f"spec.{name}", spec=part))


def _of_pods(spec: Mapping[str, Any], place: str, predictor: Mapping[str, Any], names: Iterable[str] = ()) -> Replica:
    """Pods of ``spec``, with the workers of a predictor that has several nodes."""
    workers = mapping(predictor.get("workerSpec"), "spec.predictor.workerSpec")
    sizes = {
        flag: count(workers.get(name), f"spec.predictor.workerSpec.{name}")
        for flag, name in (
            ("--tensor-parallel-size", "tensorParallelSize"),
            ("--pipeline-parallel-size", "pipelineParallelSize"),
        )
        if name in workers
    }
    followers = []
    if workers:
        # Source: KServe documentation, multi-node inference: one node for each stage, the head's included.
        nodes = max(sizes.get("--pipeline-parallel-size", 1) - 1, 1)
        inner = _inheriting(workers, spec, "spec.predictor.workerSpec")
        followers = [PodTemplate(place="spec.predictor.workerSpec", spec=inner, pods=nodes)]
        spec = _with_arguments(spec, place, [word for flag, size in sizes.items() for word in (flag, str(size))])
    return Replica(leader=PodTemplate(place=place, spec=spec), followers=followers, model_names=tuple(names))


def _inheriting(workers: Mapping[str, Any], head: Mapping[str, Any], place: str) -> Mapping[str, Any]:
    """The workers' pods; without resources of their own they have those of the head."""
    containers = listing(workers.get("containers"), f"{place}.containers")
    if any(isinstance(each, Mapping) and each.get("resources") for each in containers):
        return workers
    heads = listing(head.get("containers"), "containers")
    resources = next((each["resources"] for each in heads if isinstance(each, Mapping) and each.get("resources")), None)
    return {**workers, "containers": [{"name": "worker-container", "resources": resources}]}


def _with_arguments(spec: Mapping[str, Any], place: str, arguments: list[str]) -> Mapping[str, Any]:
    """``spec`` with arguments that a controller adds to those of its first container."""
    containers = list(listing(spec.get("containers"), f"{place}.containers"))
    if not containers or not arguments:
        return spec
    first = mapping(containers[0], f"{place}.containers[0]")
    given = words(first.get("args"), f"{place}.containers[0].args")
    return {**spec, "containers": [{**first, "args": [*given, *arguments]}, *containers[1:]]}


def _of_model(model: Mapping[str, Any], predictor: Mapping[str, Any], at_hand: Neighbours) -> Replica:
    place = "spec.predictor.model"
    runtime = _runtime(model, at_hand, place)
    kind = mapping(model.get("modelFormat"), f"{place}.modelFormat").get("name")
    own = {
        name: value for name, value in model.items() if name not in ("modelFormat", "runtime", "storageUri", "storage")
    }
    arguments = words(model.get("args"), f"{place}.args")
    names = list(_names(model, place))
    pods: Mapping[str, Any] = {}
    container: Mapping[str, Any]
    if runtime is not None:
        pods = mapping(runtime.get("spec"), "ServingRuntime.spec")
        container = _container_of(pods)
        before = words(container.get("args"), "ServingRuntime.spec.containers.args")
        # Source: KServe, arguments of a model are appended to those of its runtime.
        container = {**overlay(container, own), "args": [*before, *arguments]}
    elif str(kind).lower() in _SERVED_BY_VLLM:
        # The model stands first: what the arguments name comes after, and wins.
        started = ["-m", "huggingfaceserver", *(f"--model_id={name}" for name in names[:1])]
        container = {**own, "command": ["python3", *started], "args": arguments}
    else:
        container = own
    container = {**container, "name": container.get("name") or _CONTAINER}
    spec = {
        **overlay(pods, {name: value for name, value in predictor.items() if name != "model"}),
        "containers": [container],
    }
    return _of_pods(spec, "spec.predictor", overlay({"workerSpec": pods.get("workerSpec")}, predictor), names)


def _names(model: Mapping[str, Any], place: str) -> Iterator[str]:
    address = text(model.get("storageUri"), f"{place}.storageUri")
    if address is not None:
        yield address


def _container_of(pods: Mapping[str, Any]) -> Mapping[str, Any]:
    containers = [
        mapping(each, "ServingRuntime.spec.containers") for each in listing(pods.get("containers"), "containers")
    ]
    return next((each for each in containers if each.get("name") == _CONTAINER), containers[0] if containers else {})


def _runtime(model: Mapping[str, Any], at_hand: Neighbours, place: str) -> Mapping[str, Any] | None:
    """The runtime that the model names, or one at hand that serves its format unasked; None where there is none.

    Raises: UnreadableError where it is named and not at hand, and the model asks for GPUs.
    """
    named = text(model.get("runtime"), f"{place}.runtime")
    if named is None:
        return next(_matching(model, at_hand), None)
    for kind in _RUNTIMES:
        found = at_hand.find(kind, named)
        if found is not None:
            return found
    container = Container(place=place, name=_CONTAINER, fields=model)
    if not asked_by_resources(container).count:
        return None
    raise UnreadableError(
        f"the ServingRuntime {named!r} is not at hand, and may say more than the service; give it too",
        reason="ReferenceNotAtHand",
        field=f"{place}.runtime",
    )


def _matching(model: Mapping[str, Any], at_hand: Neighbours) -> Iterator[Mapping[str, Any]]:
    wanted = mapping(model.get("modelFormat"), "spec.predictor.model.modelFormat").get("name")
    for kind in _RUNTIMES:
        for runtime in at_hand.of_kind(kind):
            spec = mapping(runtime.get("spec"), f"{kind}.spec")
            for each in listing(spec.get("supportedModelFormats"), f"{kind}.spec.supportedModelFormats"):
                if isinstance(each, Mapping) and each.get("name") == wanted and each.get("autoSelect"):
                    yield runtime
