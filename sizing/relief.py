"""What one argument of the engine could do for a deployment that is short of memory."""

from collections.abc import Sequence
from typing import NamedTuple

from . import engine
from .deployment import Deployment, EngineSettings
from .detailed import Stage, stages_of
from .estimate import Estimate
from .model import Model


class Relief(NamedTuple):
    """Bytes on each GPU that other arguments would free; zeros where they would free nothing, or too little by far."""

    least_max_num_seqs: int
    """Sequences one replica is asked to hold together."""
    bytes_freed_by_max_num_seqs: int = 0
    """What activations shrink by where ``max_num_seqs`` is no more than that."""
    bytes_freed_by_enforce_eager: int = 0
    """What of the engine's budget CUDA graphs take."""
    sufficient_utilization_percent: int = 0
    """The least ``gpu_memory_utilization``, above the one asked for, that would hold the expected need."""


def relief(estimate: Estimate) -> Relief:
    """What other arguments would do for ``estimate``.

    Nothing where all fits, nor where weights and kv cache alone are more than the GPU has.
    """
    deployment, model = estimate.deployment, estimate.deployment.model
    settings = deployment.engine
    asked = deployment.sequences_of_a_replica
    need = estimate.per_gpu
    is_hopeless = need.weights_bytes + need.kv_cache_bytes > deployment.gpu_memory_bytes
    if estimate.verdict == "fits" or is_hopeless or estimate.kv_cache is None or model is None:
        return Relief(least_max_num_seqs=asked)
    stages = stages_of(deployment, model)
    fewer_sequences = settings._replace(max_num_seqs=min(asked, settings.max_num_seqs))
    return Relief(
        least_max_num_seqs=asked,
        bytes_freed_by_max_num_seqs=_freed(stages, deployment, model, fewer_sequences),
        bytes_freed_by_enforce_eager=_freed(stages, deployment, model, settings._replace(enforce_eager=True)),
        sufficient_utilization_percent=_sufficient_utilization_percent(estimate),
    )


def _freed(stages: Sequence[Stage], deployment: Deployment, model: Model, changed: EngineSettings) -> int:
    """Bytes of activations and overhead that ``changed`` arguments free on each of the ``stages``."""
    if changed == deployment.engine:
        return 0
    others = stages_of(deployment._replace(engine=changed), model)
    return min(_runtime_bytes(before) - _runtime_bytes(after) for before, after in zip(stages, others, strict=True))


def _runtime_bytes(stage: Stage) -> int:
    return stage.activation.expected + stage.overhead.expected


def _sufficient_utilization_percent(estimate: Estimate) -> int:
    deployment, outside, total = estimate.deployment, estimate.outside, estimate.per_gpu.total_bytes
    settings, memory = deployment.engine, deployment.gpu_memory_bytes
    if estimate.verdict != "does_not_fit" or settings.profile.budget.is_of_free_memory or outside is None:
        return 0
    current = round(settings.gpu_memory_utilization * 100)
    for percent in range(max(current + 1, -(-total * 100 // max(memory, 1))), 100):
        usable = engine.usable_bytes(settings._replace(gpu_memory_utilization=percent / 100), memory)
        # A larger budget leaves no more beside it.
        if usable > deployment.free_bytes or outside.needed_bytes > memory - usable:
            return 0
        if total <= usable:
            return percent
    return 0
