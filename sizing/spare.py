"""Whether a deployment could do with less."""

from .estimate import Estimate


def half_suffices(estimate: Estimate) -> bool:
    """Whether half of the GPUs of one replica would surely hold it.

    A rank then holds at most twice the weights and the kv cache; activations and overhead do not grow with it.
    """
    sizes, need = estimate.deployment.split, estimate.per_gpu
    ranks = sizes.tensor_parallel_size * sizes.pipeline_parallel_size
    doubled = need.weights_bytes + need.kv_cache_bytes
    is_alone = ranks % 2 == 0 and sizes.data_parallel_size == 1
    return estimate.verdict == "fits" and is_alone and estimate.high_bytes + doubled <= need.usable_bytes
