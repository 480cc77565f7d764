"""The kv cache of one pipeline stage on one rank."""

from dataclasses import dataclass
from functools import cached_property

from ..attention import Cache


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """How one number of the cache is stored: so many bits for a block of so many numbers, scales included."""

    bits: int
    block: int = 1

    def bits_of(self, cache: Cache, ranks: int) -> int:
        """Bits one kept token takes in ``cache`` on one of ``ranks``, rounded up.

        Raises: InvalidRequestError when the heads cannot be divided.
        """
        return -(-cache.bits_per_token(self.bits, ranks) // self.block)

    def state_bytes(self, cache: Cache, ranks: int) -> int:
        """Bytes of the state one sequence keeps in ``cache`` on one of ``ranks``."""
        return cache.state_bytes(-(-self.bits // self.block), ranks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Layers that keep the same tokens and are handed out together."""

    cache: Cache
    """Of which the layers ask how many tokens are kept."""
    layers: int
    """Layers paid for, those that only fill up a page included."""
    bits_per_token: int
    """Of all of them; 0 where a state is all that is kept."""
    state_bytes: int
    """Of all of them, for one sequence whatever its length."""
    block_size: int
    """Tokens that are handed out together."""
    spare_blocks: int = 0
    """Blocks more than the kept tokens fill, as they need not begin where a block begins."""
    batched_tokens: int
    """Tokens computed in one batch, which a window keeps beside itself."""
    kept_percent: int = 100
    """Of the kept tokens, how many the pool has room for."""

    def sequence_bits(self, tokens: int) -> int:
        """Bits of one sequence of ``tokens``, in whole blocks."""
        return self.tokens_held(tokens) * self.bits_per_token + 8 * self.state_bytes

    def tokens_held(self, tokens: int) -> int:
        """Tokens that the blocks of one sequence of ``tokens`` have room for; 0 where a state is all that is kept."""
        if not self.bits_per_token:
            return 0
        kept = -(-self.cache.tokens_kept(tokens, self.batched_tokens) * self.kept_percent // 100)
        return (-(-kept // self.block_size) + self.spare_blocks) * self.block_size


@dataclass(frozen=True, kw_only=True)
class StageCache:
    """What the layers of a stage keep of a sequence."""

    shares: tuple[Share, ...]
    step: int
    """Tokens by which the length of the longest sequence is told."""

    @cached_property
    def bits_per_token(self) -> int:
        """Bits one token adds while every layer keeps it."""
        return sum(share.bits_per_token for share in self.shares)

    def cells(self, tokens: int) -> tuple[int, ...]:
        """Tokens that each kind of attention has room for of a sequence of ``tokens``."""
        return tuple(
            {share.cache.kind: share.tokens_held(tokens) for share in self.shares if share.bits_per_token}.values()
        )

    def sequence_bytes(self, tokens: int) -> int:
        """Bytes of one sequence of ``tokens``, rounded up to blocks."""
        return -(-sum([share.sequence_bits(tokens) for share in self.shares]) // 8)

    def longest_sequence(self, pool_bytes: int) -> int:
        """Tokens of the longest sequence, in whole steps, that ``pool_bytes`` hold; 0 when not even one step fits."""
        if self.sequence_bytes(self.step) > pool_bytes:
            return 0
        # Where every layer keeps every token, the answer is a division; states make it less, and windows more.
        guess = max(8 * pool_bytes // (max(self.bits_per_token, 1) * self.step), 1)
        if guess > MOST_STEPS:
            low, high = 1, 2
        elif self.sequence_bytes(guess * self.step) <= pool_bytes:
            low, high = guess, guess + 1
        else:
            low, high = 1, guess
        while high <= MOST_STEPS and self.sequence_bytes(high * self.step) <= pool_bytes:
            low, high = high, high * 2
        return (low if high - low == 1 else self._longest_between(low, high, pool_bytes)) * self.step

    def _longest_between(self, low: int, high: int, pool_bytes: int) -> int:
        """Steps of the longest sequence that ``pool_bytes`` hold: ``low`` of them fit, ``high`` do not."""
        low_bytes, high_bytes = self.sequence_bytes(low * self.step), self.sequence_bytes(high * self.step)
        turn = 0
        while high - low > 1:
            # Beyond its windows a sequence grows along a line, but in stairs where blocks are large, so that every
            # third try halves what is left instead.
            turn += 1
            on_line = (pool_bytes - low_bytes) * (high - low) // max(high_bytes - low_bytes, 1)
            middle = low + (min(max(on_line, 1), high - low - 1) if turn % 3 else (high - low) // 2)
            middle_bytes = self.sequence_bytes(middle * self.step)
            if middle_bytes <= pool_bytes:
                low, low_bytes = middle, middle_bytes
            else:
                high, high_bytes = middle, middle_bytes
        return low


MOST_STEPS = 2**28
"""Where the search for the longest sequence ends: a model that keeps a state alone has no longest one."""
