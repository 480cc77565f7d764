"""The vLLM production stack's VLLMRuntime: a model, settings of vLLM, and a number of GPUs."""

from collections.abc import Iterable, Mapping
from typing import Any

from ..flags import as_arguments
from ..objects import Neighbours
from ..replica import PodTemplate, Replica
from ..shapes import mapping, spelt, text, words

_OF_MODEL = {
    "maxModelLen": "max_model_len",
    "dtype": "dtype",
    "maxNumSeqs": "max_num_seqs",
    "enableLoRA": "enable_lora",
}
_OF_VLLM = {
    "tensorParallelSize": "tensor_parallel_size",
    "pipelineParallelSize": "pipeline_parallel_size",
    "gpuMemoryUtilization": "gpu_memory_utilization",
    "maxLoras": "max_loras",
}
"""Source: vLLM production stack, operator, VLLMRuntime v1alpha1."""
_GPU = "nvidia.com/gpu"
"""The resource where none is named.  Source: as above."""


def replicas(object: Mapping[str, Any], at_hand: Neighbours) -> Iterable[Replica]:  # noqa: A002, ARG001 - as all kinds
    """The container that the operator makes."""
    spec = mapping(object.get("spec"), "spec")
    model = mapping(spec.get("model"), "spec.model")
    config = mapping(spec.get("vllmConfig"), "spec.vllmConfig")
    deployed = mapping(spec.get("deploymentConfig"), "spec.deploymentConfig")
    resources = mapping(deployed.get("resources"), "spec.deploymentConfig.resources")
    image = mapping(deployed.get("image"), "spec.deploymentConfig.image")
    settings = {
        **{ours: model[name] for name, ours in _OF_MODEL.items() if model.get(name)},
        **{ours: config[name] for name, ours in _OF_VLLM.items() if config.get(name)},
    }
    served = text(model.get("modelURL"), "spec.model.modelURL")
    asked = spelt(resources.get("gpu"), "spec.deploymentConfig.resources.gpu")
    resource = text(resources.get("gpuType"), "spec.deploymentConfig.resources.gpuType") or _GPU
    container = {
        "name": "vllm",
        "image": text(image.get("name"), "spec.deploymentConfig.image.name"),
        "command": ["vllm", "serve", *([served] if served else [])],
        "args": [*as_arguments(settings), *words(config.get("extraArgs"), "spec.vllmConfig.extraArgs")],
        "env": config.get("env"),
        "resources": {"limits": {resource: asked}} if asked else {},
    }
    placed = {name: deployed[name] for name in ("nodeSelector", "affinity") if name in deployed}
    return [
        Replica(
            leader=PodTemplate(place="spec", spec={**placed, "containers": [container]}, is_place_of_container=True)
        )
    ]
