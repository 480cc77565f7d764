"""What an engine computes in: the two shapes of a profile's activations."""

from dataclasses import dataclass
from typing import Literal

from .rows import CLOSED
from .sourced import IntegerRow
from .spread import Spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """constant + bytes x rows x vocab_size."""

    __pydantic_config__ = CLOSED

    rows: Literal["max_num_seqs", "max_num_batched_tokens"]
    """Which of the limits says for how many tokens logits are computed at once."""
    constant_bytes: int
    bytes_per_row_and_vocabulary_entry_tenths: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """bytes x max_num_batched_tokens x (3 x intermediate_size / ranks + 2 x hidden_size)."""

    __pydantic_config__ = CLOSED

    bytes_per_element_tenths: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """Peak while the engine computes: the larger of the two, more for experts and for scores kept in memory."""

    __pydantic_config__ = CLOSED

    sampler: Sampler
    forward: Forward
    mixture_of_experts_bytes: Spread
    low_spread_bytes: int
    high_spread_bytes: int
    unmeasured_high_per_mille: IntegerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWidths:
    """Elements a token has at once in the widest moment of a layer, as multiples of what the layer is wide."""

    __pydantic_config__ = CLOSED

    feed_forward: int
    """intermediate_sizes: gate, up and their product."""
    hidden: int
    """hidden_sizes beside them: what is added to the result, its norm, and one more that is left over."""
    expert_outputs: int
    """hidden_sizes of each expert of a token, beside one intermediate_size of all: plain and weighted."""
    hidden_of_experts: int
    """hidden_sizes beside those."""
    hidden_of_scores: int
    """hidden_sizes beside scores that are kept in memory, or a mask that is being cast."""
    states: int
    """Recurrent states of each sequence: as read and as written."""
    hidden_of_states: int
    """hidden_sizes beside those."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMask:
    """Bytes of an entry of the mask, of which there is one for each token computed at once and each cell."""

    __pydantic_config__ = CLOSED

    with_scores: int
    """Without flash attention."""
    given: int
    """With flash attention, as the first device is given it."""
    read: int
    """With flash attention, as layers read it; where that is less than given, the first device holds both."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeBuffer:
    """One buffer for a graph of the largest micro-batch, where what no later step reads makes room for others.

    Tokens are max_num_batched_tokens.  Source: llama.cpp, ggml-alloc.c and llama_context::sched_reserve.
    """

    __pydantic_config__ = CLOSED

    uses_flash_attention: bool
    """Unless told otherwise."""
    bytes_per_element: int
    """Of activations, scores and logits."""
    logits_rows: Literal["max_num_seqs", "max_num_batched_tokens"]
    """Which of the limits says for how many tokens logits are computed at once."""
    logits_source: str
    mask: AttentionMask
    widths: LayerWidths
    input_copies: IntegerRow
    """Of mask and hidden states on each device, so that several can compute at a time."""
    low_per_mille: int
    """Of the expected size, what it is more than the least."""
    high_per_mille: int
    """Of the expected size, what the most is more: holes that no tensor fits."""
    unmeasured_high_per_mille: IntegerRow
