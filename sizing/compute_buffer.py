"""The buffer that llama.cpp computes in: its inputs, and the widest moment of the graph.

Source: llama.cpp, llama-context.cpp (sched_reserve), llama-graph.cpp (build_attn_mha, build_ffn, build_moe_ffn),
ggml-backend.cpp (ggml_backend_sched_split_graph), ggml-alloc.c.
"""

from dataclasses import dataclass

from .catalog.activation import ComputeBuffer
from .deployment import EngineSettings, Sizes
from .model import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Bytes on one device that are held together, or one after the other."""

    inputs: int
    """The mask, and where there are copies of them, the hidden states that the device is given."""
    copies: int
    """Copies of the inputs, which then are held to the end."""
    cast: int
    """Masks as they are given and as they are read, and hidden states, while a single copy is cast; else 0."""
    layer: int
    """Most that a layer holds beside the inputs."""
    logits: int
    """Logits, and the hidden states they are computed from; 0 where the device computes none."""

    @property
    def size_bytes(self) -> int:
        """Bytes of the buffer, as far as no hole is left in it."""
        if self.copies > 1:
            return self.inputs + max(self.layer, self.logits)
        # A single copy makes room for the logits: no layer reads the mask any more.
        return max(self.cast, self.inputs + self.layer, self.logits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """What one device computes: the largest micro-batch, against all cells."""

    rows: ComputeBuffer
    settings: EngineSettings
    model: Model
    sizes: Sizes
    cells: tuple[int, ...]
    """Tokens that each kind of attention holds of a sequence."""
    is_first: bool
    """Whether the device is given what the host looked up."""
    is_last: bool
    """Whether the device computes logits."""

    @property
    def tokens(self) -> int:
        """Tokens computed at once: never more than a sequence has."""
        return min((self.settings.max_num_batched_tokens, *self.cells))

    def moments(self) -> Moments:
        """What the device holds, moment by moment."""
        return Moments(
            inputs=self._inputs(),
            copies=self._copies(),
            cast=self._cast(),
            layer=max(self._feed_forward(), self._experts(), self._states(), self._scores()),
            logits=self._logits() if self.is_last else 0,
        )

    def _copies(self) -> int:
        return self.rows.input_copies.value if self.sizes.pipeline_parallel_size > 1 else 1

    def _inputs(self) -> int:
        mask, entries = self.rows.mask, self.tokens * sum(self.cells)
        if self._copies() == 1:
            # Where a mask is cast, what was given is free before a layer is at its widest.
            return entries * (mask.read if self.settings.flash_attention else mask.with_scores)
        given, read = mask.with_scores, 0
        if self.settings.flash_attention:
            given = mask.given if self.is_first else mask.read
            read = mask.read if given > mask.read else 0
        return self._copies() * (entries * given + self._hidden(1)) + entries * read

    def _cast(self) -> int:
        mask = self.rows.mask
        if not self.settings.flash_attention or mask.given == mask.read:
            return 0
        # The first layer has its queries by then, beside the hidden states and their norm.
        masks = self.tokens * sum(self.cells) * (mask.given + mask.read)
        return masks + self._hidden(self.rows.widths.hidden_of_scores)

    def _feed_forward(self) -> int:
        widths = self.rows.widths
        return self._elements(widths.feed_forward * self._intermediate_size()) + self._hidden(widths.hidden)

    def _experts(self) -> int:
        widths = self.rows.widths
        outputs = widths.expert_outputs * self.model.num_experts_per_tok + widths.hidden_of_experts
        return self._elements(self._intermediate_size()) + self._hidden(outputs) if self.model.num_experts else 0

    def _states(self) -> int:
        widths, bits = self.rows.widths, 8 * self.rows.bytes_per_element
        ranks = self.sizes.tensor_parallel_size
        states = max(
            (cache.state_bytes(bits, ranks) for layer in set(self.model.layers) for cache in layer.caches), default=0
        )
        held = widths.states * self.settings.max_num_seqs * states
        return held + self._hidden(widths.hidden_of_states) if states else 0

    def _scores(self) -> int:
        if self.settings.flash_attention:
            return 0
        heads = -(-self.model.num_attention_heads // self.sizes.tensor_parallel_size)
        return self._elements(heads * max(self.cells, default=0)) + self._hidden(self.rows.widths.hidden_of_scores)

    def _logits(self) -> int:
        rows = min(self.tokens, self.settings.max_num_seqs) if self.rows.logits_rows == "max_num_seqs" else self.tokens
        return rows * self.model.vocab_size * self.rows.bytes_per_element + self._hidden(1)

    def _intermediate_size(self) -> int:
        return -(-self.model.intermediate_size // self.sizes.tensor_parallel_size)

    def _hidden(self, times: int) -> int:
        return self._elements(times * self.model.hidden_size)

    def _elements(self, width: int) -> int:
        return self.tokens * width * self.rows.bytes_per_element
