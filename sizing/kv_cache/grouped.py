"""vLLM: layers of different kinds in groups of equal size, which draw pages of equal size from one pool.

Source: vLLM v1, kv_cache_utils.py (_get_kv_cache_groups_uniform_page_size, unify_kv_cache_spec_page_size),
kv_cache_interface.py (max_memory_usage_bytes of each spec).
"""

from dataclasses import replace

from ..attention import Cache
from .apart import apart
from .layers import StageLayers
from .stage import Share

_ALL = 2**40
"""More tokens than any window keeps."""

MOST_RULES = 2
"""Models with more ways to keep tokens are grouped by rules of their own, and counted layer by layer here."""

NEARLY_EQUAL = (3, 2)
"""Kinds whose numbers of layers differ by less than this factor share the size of the larger."""


def whole(asked: StageLayers) -> tuple[Share, ...]:
    """Without a manager for hybrid models, every layer keeps every token."""
    return tuple(replace(share, batched_tokens=_ALL) for share in apart(asked))


def grouped(asked: StageLayers) -> tuple[Share, ...]:
    """One share for each distinct cache, its layers filled up to whole groups.

    10 layers of full attention and 52 with a window make groups of 10: one of the first kind, six of the second,
    the last filled up with 8 layers that hold nothing.
    """
    sharing = {cache: count for cache, count in asked.whole_model.items() if not _is_of_an_encoder(cache)}
    rules = {_rule(cache, asked) for cache in sharing}
    if len(rules) <= 1 or len(rules) > MOST_RULES:
        return tuple(replace(share, spare_blocks=_spare(share.cache, asked)) for share in apart(asked))
    groups = _groups(sharing)
    size = max(-(-asked.caches[cache] // count) for cache, count in groups.items())
    page_bits, block_sizes = _pages(asked, groups)
    found = [share for share in apart(asked) if _is_of_an_encoder(share.cache)]
    for cache, count in groups.items():
        layers, keeps_tokens = count * size, asked.element.bits_of(cache, asked.ranks) > 0
        found.append(
            Share(
                cache=cache,
                layers=layers,
                bits_per_token=layers * page_bits // block_sizes[cache] if keeps_tokens else 0,
                state_bytes=0 if keeps_tokens else layers * page_bits // 8,
                block_size=block_sizes[cache],
                spare_blocks=_spare(cache, asked),
                batched_tokens=asked.max_num_batched_tokens,
            )
        )
    return tuple(found)


def _rule(cache: Cache, asked: StageLayers) -> tuple[str, int]:
    """What is kept: layers in which it agrees need no groups, whatever their sizes and what they keep it for."""
    kept = cache.tokens_kept(_ALL, asked.max_num_batched_tokens)
    return ("" if kept == _ALL else cache.kind), kept


def _is_of_an_encoder(cache: Cache) -> bool:
    """Whether keys and values are kept, and none of the sequence's own tokens."""
    return cache.num_key_value_heads > 0 and cache.bits_per_token(1, 1) == 0


def _groups(layers: dict[Cache, int]) -> dict[Cache, int]:
    """Groups of each distinct cache."""
    fewest, most = min(layers.values()), max(layers.values())
    times, of = NEARLY_EQUAL
    size = most if most * of < fewest * times else fewest
    return {cache: -(-count // size) for cache, count in layers.items()}


def _pages(asked: StageLayers, groups: dict[Cache, int]) -> tuple[int, dict[Cache, int]]:
    """Bits of one page of one layer, and the tokens it holds for each cache.

    A state is one page: attention's blocks grow until their page holds it.  Smaller pages take more tokens.
    """
    element, ranks = asked.element, asked.ranks
    token_bits = {cache: element.bits_of(cache, ranks) for cache in groups}
    attending = [bits for bits in token_bits.values() if bits]
    state_bits = max(8 * element.state_bytes(cache, ranks) for cache in groups)
    if not attending:
        return state_bits, dict.fromkeys(groups, asked.block_size)
    largest = max(attending)
    block_size = asked.block_size * max(-(-state_bits // (asked.block_size * largest)), 1)
    page_bits = largest * block_size
    return page_bits, {
        cache: block_size * (largest // bits) if bits else block_size for cache, bits in token_bits.items()
    }


def _spare(cache: Cache, asked: StageLayers) -> int:
    """One block where old tokens are dropped: the tokens kept need not begin where a block begins."""
    keeps_tokens = asked.element.bits_of(cache, asked.ranks) > 0
    return int(keeps_tokens and cache.tokens_kept(_ALL, asked.max_num_batched_tokens) < _ALL)
