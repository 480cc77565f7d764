"""Which alternative is better."""

import json

from ..support_levels import EFFECTS, LEVELS
from ..weigh import FITTING, Changes, Weighed


def quality(weighed: Weighed) -> tuple[int, int, int, int, int]:
    """Lower is better: fits before tight, native support, what gains most, then the least loss of quality in bits."""
    deployment, support = weighed.estimate.deployment, weighed.support
    return (
        FITTING.index(weighed.verdict),
        LEVELS.index(support.level),
        EFFECTS.index(support.weights.effect),
        -deployment.weight_format.bits,
        -deployment.kv_cache_dtype.bits,
    )


def worth(weighed: Weighed) -> tuple[tuple[int, ...], int, int, int, str]:
    """Lower is better: quality, then the fewest changes, the fewest GPUs, the most headroom."""
    return (
        quality(weighed),
        len(weighed.changes),
        weighed.estimate.deployment.gpu_count,
        -weighed.estimate.per_gpu.headroom_bytes,
        spelt(weighed.changes),
    )


def spelt(changes: Changes) -> str:
    """The one text of ``changes``."""
    return json.dumps(changes, sort_keys=True)


def shortfall(weighed: Weighed) -> tuple[float, str]:
    """What is missing, as a part of what is usable."""
    per_gpu = weighed.estimate.per_gpu
    return -per_gpu.headroom_bytes / max(per_gpu.usable_bytes, 1), spelt(weighed.changes)
