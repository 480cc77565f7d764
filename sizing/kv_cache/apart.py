"""Each layer for itself: blocks for the tokens it keeps, and nothing shared."""

from dataclasses import replace

from .layers import StageLayers
from .stage import Share


def apart(asked: StageLayers) -> tuple[Share, ...]:
    """One share for each distinct cache, as many tokens as its layers keep."""
    return tuple(
        Share(
            cache=cache,
            layers=count,
            bits_per_token=count * asked.element.bits_of(cache, asked.ranks),
            state_bytes=count * asked.element.state_bytes(cache, asked.ranks),
            block_size=asked.block_size,
            batched_tokens=asked.max_num_batched_tokens,
        )
        for cache, count in asked.caches.items()
    )


def cells(asked: StageLayers) -> tuple[Share, ...]:
    """llama.cpp: cells of a window hold the window and one micro-batch, padded like all cells.

    Source: llama.cpp, llama_kv_cache_iswa: n_swa x slots + n_ubatch, padded to 256.
    """
    # A window elsewhere counts the token being computed among the batch; a window of cells does not.
    return tuple(replace(share, batched_tokens=asked.max_num_batched_tokens + 1) for share in apart(asked))


def two_pools(asked: StageLayers) -> tuple[Share, ...]:
    """SGLang: layers with a window draw from a pool of 80 % of the tokens of the pool for full attention.

    Source: SGLang, --swa-full-tokens-ratio 0.8.
    """
    has_full = any(_keeps_all(share, asked) for share in apart(asked))
    return tuple(
        share
        if not has_full or not share.bits_per_token or _keeps_all(share, asked)
        # The pool is of that size whatever the window: every token of it counts.
        else replace(share, batched_tokens=_ALL, kept_percent=80)
        for share in apart(asked)
    )


_ALL = 2**40
"""A batch so large that a window keeps every token."""


def _keeps_all(share: Share, asked: StageLayers) -> bool:
    return share.bits_per_token > 0 and share.cache.tokens_kept(_ALL, asked.max_num_batched_tokens) == _ALL
