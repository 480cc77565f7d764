"""KubeRay's RayService: applications that serve models, on the pods of a cluster of its own."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..config_file import parse_fields
from ..containers import containers_of
from ..errors import UnreadableError
from ..flags import as_arguments
from ..objects import Neighbours
from ..replica import PodTemplate, Replica, pod_template
from ..resources import asked_by_resources
from ..shapes import count, listing, mapping, text

_LABEL = "ray.io/accelerator-type"
_BUILDERS = "ray.serve.llm"
"""Module of the applications whose arguments say what is served.  Source: Ray documentation, Serve LLM."""
_SPEAK_OF_MODELS = ("vllm", "sglang", "llm")


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as all kinds
    """A replica for each model that an application is configured with, and the pods for what they start themselves."""
    spec = mapping(object.get("spec"), "spec")
    pods = list(_pods(mapping(spec.get("rayClusterConfig"), "spec.rayClusterConfig")))
    for template in pods:
        yield Replica(leader=template)
    holders = [each for each in pods if any(asked_by_resources(container).count for container in containers_of(each))]
    config = text(spec.get("serveConfigV2"), "spec.serveConfigV2")
    fields = parse_fields(config, "spec.serveConfigV2") if config else {}
    for number, each in enumerate(listing(fields.get("applications"), "spec.serveConfigV2.applications")):
        place = f"spec.serveConfigV2.applications[{number}]"
        application = mapping(each, place)
        if holders:
            yield from _of_application(application, place, holders)


def _pods(cluster: Mapping[str, Any]) -> Iterator[PodTemplate]:
    place = "spec.rayClusterConfig"
    head = mapping(cluster.get("headGroupSpec"), f"{place}.headGroupSpec")
    if head:
        yield pod_template(
            mapping(head.get("template"), f"{place}.headGroupSpec.template"), f"{place}.headGroupSpec.template"
        )
    for number, each in enumerate(listing(cluster.get("workerGroupSpecs"), f"{place}.workerGroupSpecs")):
        group = mapping(each, f"{place}.workerGroupSpecs[{number}]")
        within = f"{place}.workerGroupSpecs[{number}].template"
        yield pod_template(mapping(group.get("template"), within), within)


def _of_application(application: Mapping[str, Any], place: str, holders: list[PodTemplate]) -> Iterator[Replica]:
    arguments = mapping(application.get("args"), f"{place}.args")
    configs = listing(arguments.get("llm_configs"), f"{place}.args.llm_configs")
    if not configs and "llm_config" in arguments:
        configs = [arguments["llm_config"]]
    for number, each in enumerate(configs):
        if isinstance(each, str):
            raise UnreadableError(
                f"the model's configuration is in {each!r:.80}, which is not at hand; write it into serveConfigV2",
                reason="ReferenceNotAtHand",
                field=f"{place}.args.llm_configs[{number}]",
            )
        yield _of_model(
            mapping(each, f"{place}.args.llm_configs[{number}]"), f"{place}.args.llm_configs[{number}]", holders
        )
    imported = text(application.get("import_path"), f"{place}.import_path") or ""
    if not configs and any(word in imported.lower() for word in _SPEAK_OF_MODELS):
        raise UnreadableError(
            f"{imported!r:.80} serves what its code says, which is not at hand; serve it with {_BUILDERS}",
            reason="ModelNotNamed",
            field=f"{place}.import_path",
        )


def _of_model(config: Mapping[str, Any], place: str, holders: list[PodTemplate]) -> Replica:
    loading = mapping(config.get("model_loading_config"), f"{place}.model_loading_config")
    settings = dict(mapping(config.get("engine_kwargs"), f"{place}.engine_kwargs"))
    source = loading.get("model_source")
    if isinstance(source, Mapping):
        source = source.get("bucket_uri")
    served = source or text(loading.get("model_id"), f"{place}.model_loading_config.model_id")
    sizes = [
        count(settings.get(name), f"{place}.engine_kwargs.{name}")
        for name in ("tensor_parallel_size", "pipeline_parallel_size", "data_parallel_size")
    ]
    # Ray places as many GPUs as the sizes multiply to, wherever the cluster has them.
    gpus = max(sizes[0], 1) * max(sizes[1], 1) * max(sizes[2], 1)
    accelerator = text(config.get("accelerator_type"), f"{place}.accelerator_type")
    nodes: Mapping[str, Any] = {"nodeSelector": {_LABEL: accelerator}} if accelerator else holders[0].spec
    container = {
        "name": "model",
        "command": ["vllm", "serve", *([served] if isinstance(served, str) else [])],
        "args": as_arguments(settings),
        "resources": {"limits": {"nvidia.com/gpu": str(gpus)}},
    }
    spec = {name: nodes[name] for name in ("nodeSelector", "affinity") if name in nodes}
    return Replica(
        leader=PodTemplate(
            place=place,
            spec={**spec, "containers": [container]},
            annotations=holders[0].annotations,
            is_place_of_container=True,
        )
    )
