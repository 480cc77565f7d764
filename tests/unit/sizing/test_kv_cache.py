"""How engines hand out the kv cache, against what they printed."""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizing.attention import Cache, FullAttention, LinearAttention, SlidingWindow
from sizing.kv_cache.apart import apart, cells, two_pools
from sizing.kv_cache.grouped import grouped, whole
from sizing.kv_cache.layers import StageLayers
from sizing.kv_cache.stage import Element, Share, StageCache

BF16 = Element(bits=16)
LENGTH = 8192


def _asked(
    caches: list[Cache],
    *,
    element: Element = BF16,
    ranks: int = 1,
    block_size: int = 16,
    max_num_batched_tokens: int = 8192,
) -> StageLayers:
    return StageLayers(
        caches=Counter(caches),
        whole_model=Counter(caches),
        element=element,
        ranks=ranks,
        block_size=block_size,
        max_num_batched_tokens=max_num_batched_tokens,
    )


def _cache(shares: tuple[Share, ...]) -> StageCache:
    return StageCache(shares=shares, step=16)


def _hybrid(full: int, windowed: int, heads: int, head_dim: int, window: int) -> list[Cache]:
    attending: Cache = FullAttention(num_key_value_heads=heads, head_dim=head_dim)
    sliding: Cache = SlidingWindow(num_key_value_heads=heads, head_dim=head_dim, window=window)
    return [attending] * full + [sliding] * windowed


@pytest.mark.parametrize(
    ("caches", "ranks", "bytes_per_token"),
    [
        # vLLM 0.19.0 on H100, max_model_len 8192, 8192 batched tokens: pool over tokens
        # (llm-d-incubation/llm-d-planner#205).
        pytest.param(_hybrid(13, 13, 4, 256, 4096), 1, 106_499, id="gemma-2-2b"),
        pytest.param(_hybrid(21, 21, 8, 256, 4096), 1, 344_096, id="gemma-2-9b"),
        pytest.param(_hybrid(23, 23, 16, 128, 4096), 1, 376_813, id="gemma-2-27b"),
        pytest.param(_hybrid(5, 29, 4, 256, 1024), 1, 143_374, id="gemma-3-4b"),
        pytest.param(_hybrid(8, 40, 8, 256, 1024), 1, 393_226, id="gemma-3-12b"),
        pytest.param(_hybrid(10, 52, 16, 128, 1024), 1, 573_583, id="gemma-3-27b"),
        pytest.param(_hybrid(12, 12, 8, 64, 128), 2, 24_576, id="gpt-oss-20b"),
        pytest.param(_hybrid(12, 36, 8, 128, 8192), 4, 49_144, id="Llama-4-Scout"),
    ],
)
def test_groups_of_hybrid_models(caches: list[Cache], ranks: int, bytes_per_token: int) -> None:
    """Layers are filled up to whole groups: bytes a token agree with the log to 0.1 %."""
    found = _cache(grouped(_asked(caches, ranks=ranks)))
    assert found.bits_per_token / 8 == pytest.approx(bytes_per_token, rel=0.001)


@pytest.mark.parametrize(
    ("caches", "tokens", "concurrency"),
    [
        # The same runs: tokens of the pool, and how many sequences of 8192 vLLM says it holds.
        pytest.param(_hybrid(13, 13, 4, 256, 4096), 670_160, 81.73, id="gemma-2-2b"),
        pytest.param(_hybrid(5, 29, 4, 256, 1024), 468_144, 57.05, id="gemma-3-4b"),
        pytest.param(_hybrid(8, 40, 8, 256, 1024), 130_304, 15.88, id="gemma-3-12b"),
    ],
)
def test_a_window_takes_one_block_more(caches: list[Cache], tokens: int, concurrency: float) -> None:
    """The tokens a window keeps need not begin where a block begins, which costs the printed concurrency."""
    found = _cache(grouped(_asked(caches)))
    pool = tokens * found.bits_per_token // 8
    assert pool / found.sequence_bytes(LENGTH) == pytest.approx(concurrency, abs=0.006)


def test_a_window_keeps_itself_and_one_batch() -> None:
    """Long sequences take window - 1 + batched tokens, in blocks and one more; short ones what they have."""
    caches: list[Cache] = [SlidingWindow(num_key_value_heads=1, head_dim=64, window=1024)]
    found = _cache(grouped(_asked(caches, max_num_batched_tokens=2048)))
    assert found.sequence_bytes(100_000) == (-(-(1023 + 2048) // 16) + 1) * 16 * 256
    assert found.sequence_bytes(100) == (7 + 1) * 16 * 256


def test_states_take_a_page_that_attention_blocks_grow_to() -> None:
    """Qwen3.5-27B on two ranks: vLLM 0.27.1 printed 44.73 GiB for 21.48 sequences of 65,536 tokens."""
    attending: Cache = FullAttention(num_key_value_heads=4, head_dim=256)
    linear: Cache = LinearAttention(
        conv_kernel=4, num_key_heads=16, num_value_heads=48, key_head_dim=128, value_head_dim=128, recurrent_bits=32
    )
    found = _cache(grouped(_asked([attending] * 16 + [linear] * 48, ranks=2)))
    assert found.sequence_bytes(65_536) == pytest.approx(44.73 * 2**30 / 21.48, rel=0.001)


def test_engines_without_a_hybrid_manager_keep_every_token() -> None:
    """Layers with a window cost as much as layers without."""
    found = _cache(whole(_asked(_hybrid(1, 1, 1, 64, 128), max_num_batched_tokens=16)))
    assert found.sequence_bytes(160_000) == 2 * 160_000 * 256


@pytest.mark.parametrize(
    ("slots_window", "ubatch", "expected_cells"),
    [
        # gpt-oss-120b and gemma-4 start-up logs of llama.cpp, "KV ... cells" of the layers with a window.
        (128, 512, 768),
        (128, 2048, 2304),
        (128, 32, 256),
        (512, 512, 1024),
        (512, 1024, 1536),
    ],
)
def test_cells_of_a_window(slots_window: int, ubatch: int, expected_cells: int) -> None:
    """llama.cpp keeps the window and one micro-batch, padded to 256 cells."""
    caches: list[Cache] = [SlidingWindow(num_key_value_heads=8, head_dim=64, window=slots_window)]
    found = _cache(cells(_asked(caches, block_size=256, max_num_batched_tokens=ubatch)))
    assert found.sequence_bytes(66_304) == expected_cells * 2 * 8 * 64 * 2


def test_quantized_cells_carry_their_scales() -> None:
    """q8_0 takes 34 bytes for 32 elements: gemma-4-E2B, 3 layers of 32,768 cells, 102 MiB."""
    caches: list[Cache] = [FullAttention(num_key_value_heads=1, head_dim=512)] * 3
    found = _cache(cells(_asked(caches, element=Element(bits=272, block=32), block_size=256)))
    assert found.sequence_bytes(32_768) == 102 * 2**20


def test_windows_draw_from_a_smaller_pool() -> None:
    """SGLang gives layers with a window 0.8 of the tokens: 148,717 and 185,897 in a log of Laguna-S-2.1."""
    found = two_pools(_asked(_hybrid(1, 3, 1, 64, 128)))
    assert [share.sequence_bits(185_888) // share.bits_per_token // 16 for share in found] == [
        185_888 // 16,
        -(-185_888 * 4 // 5 // 16),
    ]


@given(
    st.sampled_from([apart, cells, grouped, two_pools, whole]),
    st.integers(1, 12),
    st.integers(0, 40),
    st.integers(1, 4096),
    st.integers(1, 200_000),
    st.integers(0, 10_000),
)
def test_more_tokens_never_take_less(  # noqa: PLR0917 - drawn one by one
    allocator: Callable[[StageLayers], tuple[Share, ...]], full: int, windowed: int, window: int, tokens: int, more: int
) -> None:
    """Whatever the allocator, a longer sequence takes no less, and the longest that a pool holds is the longest."""
    found = _cache(allocator(_asked(_hybrid(full, windowed, 2, 64, window), max_num_batched_tokens=512)))
    size = found.sequence_bytes(tokens)
    assert found.sequence_bytes(tokens + more) >= size
    longest = found.longest_sequence(size)
    assert longest >= tokens // 16 * 16
    if longest:
        assert found.sequence_bytes(longest) <= size
    assert found.sequence_bytes(longest + 16) > size
