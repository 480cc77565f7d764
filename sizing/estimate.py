"""What a deployment needs and what it has: the figures that judgement is passed on.

Tuples rather than frozen dataclasses, which take several times as long to make: a request may weigh dozens.
"""

from collections.abc import Mapping
from typing import NamedTuple

from schemas.vocabulary import Evidence, Verdict

from .deployment import Deployment
from .model import Part


def verdict_of(usable_bytes: int, expected_bytes: int, high_bytes: int) -> Verdict:
    """Whether a need with that expected value and high end fits into ``usable_bytes``."""
    if expected_bytes > usable_bytes:
        return "does_not_fit"
    return "tight" if high_bytes > usable_bytes else "fits"


class Breakdown(NamedTuple):
    """Bytes on the worst rank; usable = weights + kv cache + activation + overhead + headroom."""

    usable_bytes: int
    weights_bytes: int
    kv_cache_bytes: int
    activation_bytes: int
    overhead_bytes: int

    @property
    def total_bytes(self) -> int:
        """Bytes needed."""
        return self.weights_bytes + self.kv_cache_bytes + self.activation_bytes + self.overhead_bytes

    @property
    def headroom_bytes(self) -> int:
        """Bytes left; negative when the need exceeds what is usable."""
        return self.usable_bytes - self.total_bytes


class RankFigures(NamedTuple):
    """Ranks that need the same."""

    pipeline_stages: tuple[int, ...]
    """Stages, counted from 0, whose ranks they are."""
    num_ranks: int
    per_gpu: Breakdown


class KvCacheFigures(NamedTuple):
    """The kv cache in bytes and tokens."""

    bytes_per_token: int
    """One token, all layers, one whole replica."""
    bytes_per_token_per_gpu: int
    bytes_per_sequence_per_gpu: int
    """One sequence of ``max_model_len`` tokens."""
    pool_bytes_per_gpu: int
    """What the engine can give to the cache; negative when the rest alone does not fit."""
    pool_tokens: int
    longest_max_model_len: int
    """Tokens of the longest sequence the pool holds."""
    max_concurrency: float
    """Sequences of ``max_model_len`` tokens the pool holds."""


class OutsideBudget(NamedTuple):
    """Bytes on the worst rank that the engine's budget does not count: context, graphs and such."""

    low_bytes: int
    """Low end of what is needed."""
    needed_bytes: int
    high_bytes: int
    """High end of what is needed."""
    room_bytes: int
    """What the budget leaves of the GPU; the kv cache takes all of the budget, needed or not."""

    @property
    def verdict(self) -> Verdict:
        """Whether there is room for it: for certain, perhaps, or not even for the low end.

        The terms vary so much with GPU and model that an expected value above the room decides nothing yet.
        """
        return verdict_of(self.room_bytes, self.low_bytes, self.high_bytes)


class RuleOfThumbFigures(NamedTuple):
    """Parameters x bytes per parameter x factor."""

    factor: float
    num_parameters: int
    total_bytes: int
    per_gpu_bytes: int


class TermEvidence(NamedTuple):
    """What each term rests on."""

    weights: Evidence
    kv_cache: Evidence
    activation: Evidence
    overhead: Evidence
    usable: Evidence


class Estimate(NamedTuple):
    """A weighed deployment, before any rule has looked at it."""

    deployment: Deployment
    per_gpu: Breakdown
    ranks: tuple[RankFigures, ...]
    """Each distinct rank; empty by the rule of thumb."""
    low_bytes: int
    """Low end of what is needed on the worst rank."""
    high_bytes: int
    """High end of what is needed on the worst rank."""
    outside: OutsideBudget | None
    """None by the rule of thumb."""
    verdict: Verdict
    num_parameters: int
    num_active_parameters: int | None
    weights_by_part: Mapping[Part, int] | None
    """Bytes of weights on the worst rank by what they are for; None by the rule of thumb."""
    kv_cache: KvCacheFigures | None
    """None by the rule of thumb."""
    rule_of_thumb: RuleOfThumbFigures
    evidence: TermEvidence

    def part_bytes(self, part: Part) -> int:
        """Bytes of weights on the worst rank that are for ``part``."""
        return (self.weights_by_part or {}).get(part, 0)
