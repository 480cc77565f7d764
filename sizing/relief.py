"""What one argument of the engine could do for a deployment that is short of memory."""

from dataclasses import dataclass, replace

from . import engine
from .deployment import Deployment, EngineSettings
from .estimate import Estimate
from .model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Relief:
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
    settings, sizes = deployment.engine, deployment.split
    asked = -(-deployment.concurrent_sequences // sizes.data_parallel_size)
    need = estimate.per_gpu
    is_hopeless = need.weights_bytes + need.kv_cache_bytes > deployment.gpu_memory_bytes
    if estimate.verdict == "fits" or is_hopeless or estimate.kv_cache is None or model is None:
        return Relief(least_max_num_seqs=asked)
    now = _runtime_bytes(deployment, model, settings)
    fewer = replace(settings, max_num_seqs=min(asked, settings.max_num_seqs))
    eager = replace(settings, enforce_eager=True)
    return Relief(
        least_max_num_seqs=asked,
        bytes_freed_by_max_num_seqs=now - _runtime_bytes(deployment, model, fewer),
        bytes_freed_by_enforce_eager=now - _runtime_bytes(deployment, model, eager),
        sufficient_utilization_percent=_sufficient_utilization_percent(estimate, model, now),
    )


def _runtime_bytes(deployment: Deployment, model: Model, settings: EngineSettings) -> int:
    """Activations and overhead of one rank with ``settings``, as far as the engine's budget counts them."""
    sizes, counted = deployment.split, settings.profile.budget.counts
    # Which stage of a pipeline is the worst is not known here: those that compute no logits free the least.
    samples = sizes.pipeline_parallel_size == 1
    peak = engine.activation(settings, model, sizes, deployment.max_model_len, samples=samples)
    overhead = engine.overhead(settings, deployment.gpu_memory_bytes, sizes, peak).expected
    return overhead + (peak.expected if "activation" in counted else 0)


def _sufficient_utilization_percent(estimate: Estimate, model: Model, now: int) -> int:
    """``now`` is what the runtime takes with the utilization asked for."""
    deployment, need = estimate.deployment, estimate.per_gpu
    settings, memory = deployment.engine, deployment.gpu_memory_bytes
    if estimate.verdict != "does_not_fit" or settings.profile.budget.is_of_free_memory:
        return 0
    current = round(settings.gpu_memory_utilization * 100)
    for percent in range(max(current + 1, -(-need.total_bytes * 100 // max(memory, 1))), 100):
        wider = replace(settings, gpu_memory_utilization=percent / 100)
        usable = engine.usable_bytes(wider, memory)
        # What lives beside the budget has less room there, and counts as far as it no longer fits.
        grown = _runtime_bytes(deployment, model, wider) - now
        if need.total_bytes + grown <= usable <= deployment.free_bytes:
            return percent
    return 0
