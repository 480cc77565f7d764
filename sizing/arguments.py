"""What of a deployment an engine is told on its command line."""

from collections.abc import Collection

from .catalog.arguments import ArgumentName
from .catalog.engines import find_engine
from .deployment import Deployment

IMPLIED = {"count": "tensor_parallel_size", "enable_expert_parallel": "expert_parallel_size"}
"""What else changes with a field of a request."""


def changed_arguments(before: Deployment, after: Deployment, asked: Collection[str]) -> list[str]:
    """The engine's arguments that make ``before`` into ``after``, such as ``--max-model-len 40192``.

    ``asked`` names the fields that are changed: what an engine chooses by itself on other GPUs is no argument, nor
    is the checkpoint.
    """
    if before.engine.name != after.engine.name:
        return []
    named = {implied for each in asked for implied in (each, IMPLIED.get(each))}
    old, new = _told(before), _told(after)
    return [
        f"{flag} {row.values.get(new[row.name], new[row.name])}".rstrip()
        for row in find_engine(after.engine.name).arguments.rows
        if row.name in named and old[row.name] != new[row.name]
        for flag in row.flags
    ]


def _told(deployment: Deployment) -> dict[ArgumentName, str]:
    engine, split = deployment.engine, deployment.split
    return {
        "max_model_len": str(deployment.max_model_len),
        "tensor_parallel_size": str(split.tensor_parallel_size),
        "pipeline_parallel_size": str(split.pipeline_parallel_size),
        "data_parallel_size": str(split.data_parallel_size),
        "kv_cache_dtype": deployment.kv_cache_dtype.name,
        "gpu_memory_utilization": f"{engine.gpu_memory_utilization:g}",
        "max_num_seqs": str(engine.max_num_seqs),
        "max_num_batched_tokens": str(engine.max_num_batched_tokens),
        "enable_expert_parallel": str(split.enable_expert_parallel).lower(),
        "expert_parallel_size": str(split.tensor_parallel_size * split.replicas if split.enable_expert_parallel else 1),
    }
