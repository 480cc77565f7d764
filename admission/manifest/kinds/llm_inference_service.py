"""KServe's LLMInferenceService: a model, how it is split, and pods of which the controller fills in the command."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import UnreadableError
from ..objects import Neighbours
from ..replica import PodTemplate, Replica
from ..shapes import count, listing, mapping, text, words
from .overlay import overlay

_MAIN = "main"
"""The container that serves.  Source: KServe documentation, LLMInferenceService configuration."""
_MORE_ARGUMENTS = "$(VLLM_ADDITIONAL_ARGS)"
_SIZES = {
    "tensor": "--tensor-parallel-size",
    "pipeline": "--pipeline-parallel-size",
    "data": "--data-parallel-size",
    "dataLocal": "--data-parallel-size-local",
}


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002 - as all kinds
    """The pods that decode, or do all, and those that prefill."""
    spec = _configured(mapping(object.get("spec"), "spec"), at_hand)
    model = mapping(spec.get("model"), "spec.model")
    names = [name for key in ("uri", "name") if (name := text(model.get(key), f"spec.model.{key}")) is not None]
    more = [*_drafting(spec), *_adapting(model)]
    if spec.get("template") or spec.get("worker"):
        yield _pool(spec, "spec", names, more)
    prefill = mapping(spec.get("prefill"), "spec.prefill")
    if prefill:
        yield _pool(prefill, "spec.prefill", names, more)


def _configured(spec: Mapping[str, Any], at_hand: Neighbours) -> Mapping[str, Any]:
    """``spec`` over the configurations that it refers to, the last of which wins.

    Raises: UnreadableError where one is not at hand.
    """
    merged: Mapping[str, Any] = {}
    for number, each in enumerate(listing(spec.get("baseRefs"), "spec.baseRefs")):
        place = f"spec.baseRefs[{number}]"
        name = text(mapping(each, place).get("name"), f"{place}.name")
        config = at_hand.find("LLMInferenceServiceConfig", name)
        if config is None:
            raise UnreadableError(
                f"the LLMInferenceServiceConfig {name!r} is not at hand, and may say more; give it too",
                reason="ReferenceNotAtHand",
                field=place,
            )
        merged = overlay(merged, mapping(config.get("spec"), "LLMInferenceServiceConfig.spec"))
    return mapping(overlay(merged, spec), "spec")


def _drafting(spec: Mapping[str, Any]) -> Iterator[str]:
    """The argument for what proposes tokens."""
    place = "spec.speculativeDecoding"
    asked = mapping(spec.get("speculativeDecoding"), place)
    if asked:
        speculator = mapping(asked.get("speculator"), f"{place}.speculator")
        model = mapping(speculator.get("model"), f"{place}.speculator.model")
        told = {"method": asked.get("method"), "model": model.get("uri")}
        told["num_speculative_tokens"] = asked.get("numSpeculativeTokens")
        yield f"--speculative-config={json.dumps({name: value for name, value in told.items() if value is not None})}"


def _adapting(model: Mapping[str, Any]) -> Iterator[str]:
    """The argument for adapters."""
    if listing(mapping(model.get("lora"), "spec.model.lora").get("adapters"), "spec.model.lora.adapters"):
        yield "--enable-lora"


def _pool(pool: Mapping[str, Any], place: str, names: list[str], more: list[str]) -> Replica:
    sizes = mapping(pool.get("parallelism"), f"{place}.parallelism")
    template = mapping(pool.get("template"), f"{place}.template")
    worker = mapping(pool.get("worker"), f"{place}.worker")
    arguments = [*_arguments(sizes, place, names), *more]
    leader = PodTemplate(place=f"{place}.template", spec=_commanded(template or worker, f"{place}.template", arguments))
    followers = []
    if worker:
        followers = [PodTemplate(place=f"{place}.worker", spec=worker, pods=max(_nodes(sizes, place) - 1, 1))]
    return Replica(leader=leader, followers=followers, model_names=names)


def _nodes(sizes: Mapping[str, Any], place: str) -> int:
    """Pods of a replica: as many as its data-parallel ranks fill, or one a stage."""
    data = count(sizes.get("data"), f"{place}.parallelism.data")
    local = count(sizes.get("dataLocal"), f"{place}.parallelism.dataLocal", otherwise=data)
    stages = count(sizes.get("pipeline"), f"{place}.parallelism.pipeline")
    return max(-(-data // max(local, 1)), stages)


def _arguments(sizes: Mapping[str, Any], place: str, names: list[str]) -> Iterator[str]:
    # Without a name of the hub the files lie where KServe puts them.
    yield names[0] if names else "/mnt/models"
    for name, flag in _SIZES.items():
        if name in sizes:
            yield from (flag, str(count(sizes[name], f"{place}.parallelism.{name}")))
    if sizes.get("expert") is True:
        yield "--enable-expert-parallel"


def _commanded(spec: Mapping[str, Any], place: str, arguments: list[str]) -> Mapping[str, Any]:
    """``spec`` with the command that the controller gives the container that serves, where it has none."""
    containers = []
    for number, each in enumerate(listing(spec.get("containers"), f"{place}.containers")):
        container = mapping(each, f"{place}.containers[{number}]")
        if container.get("name") == _MAIN and not container.get("command"):
            given = words(container.get("args"), f"{place}.containers[{number}].args")
            more = [_MORE_ARGUMENTS] if _is_set(container, f"{place}.containers[{number}]") else []
            script = ["-c", 'exec vllm serve "$@" ' + " ".join(more), "sh"]
            container = {**container, "command": ["sh", *script], "args": [*arguments, *given]}
        containers.append(container)
    return {**spec, "containers": containers}


def _is_set(container: Mapping[str, Any], place: str) -> bool:
    names = [mapping(each, f"{place}.env").get("name") for each in listing(container.get("env"), f"{place}.env")]
    return _MORE_ARGUMENTS.strip("$()") in names
