"""What of a deployment an engine is told on its command line."""

from .catalog.engines import ArgumentName, find_engine
from .deployment import Deployment


def changed_arguments(before: Deployment, after: Deployment) -> list[str]:
    """The engine's arguments that make ``before`` into ``after``, such as ``--max-model-len 40192``.

    A change of GPUs or of the checkpoint is no argument; nor is anything where the engine is another one.
    """
    if before.engine.name != after.engine.name:
        return []
    old, new = _told(before), _told(after)
    return [
        f"{flag} {row.values.get(new[row.name], new[row.name])}"
        for row in find_engine(after.engine.name).arguments.rows
        if old[row.name] != new[row.name]
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
    }
