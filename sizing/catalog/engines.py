"""Engine profiles: how much memory a range of releases takes beside weights and kv cache."""

from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Literal

from schemas.vocabulary import EngineName, WeightFormat

from .rows import CLOSED, read_yaml

Version = tuple[int, ...]
RanksKind = Literal["one", "tensor-parallel", "pipeline-only"]
AllocatorName = Literal["apart", "cells", "grouped", "two-pools", "whole"]
"""How an engine hands out its kv cache; each is a function of ``sizing/kv_cache/``."""


def version_key(text: str) -> Version:
    """A release as numbers that compare in order.

    >>> version_key("0.9.2") < version_key("0.19")
    True
    """
    return tuple(int(part) for part in text.split("."))


def release_number(text: str) -> int:
    """A release as one number that compares in order: three digits each for minor and patch.

    >>> release_number("0.10.1"), release_number("1.2"), release_number("9000")
    (10001, 1002000, 9000000000)
    """
    major, minor, patch = (*version_key(text), 0, 0)[:3]
    return major * 1_000_000 + min(minor, 999) * 1000 + min(patch, 999)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Bytes, or per mille, as measured: the lowest, the expected and the highest."""

    __pydantic_config__ = CLOSED

    low: int
    expected: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RanksSpread:
    """A spread for one way of splitting the model, on all GPUs or on those of some form."""

    __pydantic_config__ = CLOSED

    ranks: RanksKind
    form: str = ""
    """How the form of the GPUs begins, such as ``datacenter SXM``; of several rows the first that suits holds."""
    low: int
    expected: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerRow:
    """A number with its source."""

    __pydantic_config__ = CLOSED

    value: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FractionRow:
    """A fraction with its source."""

    __pydantic_config__ = CLOSED

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """Whether something is so, with its source."""

    __pydantic_config__ = CLOSED

    value: bool
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Defaults:
    """What the engine assumes on a GPU of at least ``min_memory_bytes``."""

    __pydantic_config__ = CLOSED

    min_memory_bytes: int
    not_named: str | None = None
    max_num_seqs: int
    max_num_batched_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """What an engine subtracts from the GPU's memory to find its fraction of it, where none is asked for."""

    __pydantic_config__ = CLOSED

    constant_bytes: int
    bytes_per_batched_token: int
    least_batched_tokens: int
    bytes_per_sequence: int
    bytes_per_rank: int
    large_gpu_bytes: int
    """Memory above which at least ``least_on_large_gpu_bytes`` are reserved."""
    least_on_large_gpu_bytes: int
    source: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CudaGraphs:
    """constant + bytes x max_num_seqs, up to the largest batch captured + bytes x layers x hidden_size."""

    __pydantic_config__ = CLOSED

    constant_bytes: int = 0
    bytes_per_sequence: int = 0
    most_sequences: int = 512
    """Largest batch that graphs are captured for."""
    bytes_per_layer_and_hidden_element: int = 0
    mixture_of_experts_bytes: Spread
    low_spread_bytes: int
    high_spread_bytes: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertsWorkspace:
    """What kernels for experts of one format take and no log tells, outside of every budget."""

    __pydantic_config__ = CLOSED

    weight_format: WeightFormat
    low: int
    expected: int
    high: int
    source: str


Inside = Literal["activation", "non-torch", "context", "cuda-graphs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Which terms the engine's fraction of the memory has to hold beside weights and kv cache."""

    __pydantic_config__ = CLOSED

    counts: tuple[Inside, ...]
    """The others live in what the fraction leaves; an engine that finds too little there fails as it starts."""
    is_of_free_memory: bool = False
    """Whether the fraction is taken of what is free after all else is loaded, and the rest of that left alone."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraRow:
    """How an engine holds LoRA adapters: room for the highest rank at every matrix that an adapter may change."""

    __pydantic_config__ = CLOSED

    default_max_lora_rank: int
    bits: int
    """Bits of an element of an adapter."""
    experts_from: str | None = None
    """Release from which the experts' matrices have adapters too; None where they have none."""
    source: str


ArgumentName = Literal[
    "max_model_len",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    "data_parallel_size",
    "kv_cache_dtype",
    "gpu_memory_utilization",
    "max_num_seqs",
    "max_num_batched_tokens",
    "enable_expert_parallel",
    "expert_parallel_size",
]
"""What of a deployment the engine is told on its command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentRow:
    """How an engine is told one thing."""

    __pydantic_config__ = CLOSED

    name: ArgumentName
    flags: tuple[str, ...]
    """Each is followed by the value."""
    values: dict[str, str] = field(default_factory=dict)
    """What the engine calls values that it spells in its own way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The engine's command line, as far as it moves memory."""

    __pydantic_config__ = CLOSED

    rows: tuple[ArgumentRow, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRange:
    """Releases from ``first`` up to, and without, ``before``."""

    __pydantic_config__ = CLOSED

    first: str
    before: str
    compute_capability_tens_below: int | None = None
    """Only on GPUs below this CUDA compute capability, or of other vendors."""

    def holds(self, version: str) -> bool:
        """Whether ``version`` lies in the range."""
        return version_key(self.first) <= version_key(version) < version_key(self.before)

    def applies(self, compute_capability_tens: int) -> bool:
        """Whether the range is about such GPUs."""
        below = self.compute_capability_tens_below
        return below is None or compute_capability_tens < below


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The memory behaviour of a range of releases."""

    __pydantic_config__ = CLOSED

    name: str
    versions: tuple[VersionRange, ...]
    is_measured: bool
    """Whether the rows rest on logs of these releases, rather than on documents or on another range's rows."""
    measured_on: str
    kv_cache_allocator: AllocatorName
    gpu_memory_utilization: FractionRow | Reserve
    defaults: tuple[Defaults, ...]
    defaults_source: str
    batches_a_whole_prompt: bool
    """Whether the default of max_num_batched_tokens is never less than max_model_len."""
    budget: Budget
    activation: Activation | ComputeBuffer
    non_torch: tuple[RanksSpread, ...]
    non_torch_source: str
    context: tuple[RanksSpread, ...]
    context_source: str
    cuda_graphs: CudaGraphs
    experts_workspace: tuple[ExpertsWorkspace, ...] = ()
    weights_high_per_mille: IntegerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCatalogRow:
    """An engine and its profiles, oldest first."""

    __pydantic_config__ = CLOSED

    engine: EngineName
    default_version: str
    """What a request that names no release stands for."""
    vocabulary_padding: IntegerRow
    block_size: IntegerRow
    keeps_rotary_tables: FlagRow
    """Whether each rank holds the cosines and sines of every position."""
    keeps_tables_in_host_memory: FlagRow
    """Whether tables of which each token reads one row, such as the embedding, stay off the GPU."""
    gives_gpus_whole_layers: FlagRow
    """Whether GPUs that a request does not say how to use become pipeline stages, rather than tensor parallel ranks."""
    dp_attention: FlagRow
    """Whether tensor-parallel ranks can divide sequences between them in attention."""
    lora: LoraRow | None = None
    """None where adapters are not weighed."""
    arguments: Arguments
    profiles: tuple[Profile, ...]

    def profile(self, version: str, compute_capability_tens: int) -> tuple[Profile, bool]:
        """The profile that holds ``version`` on such a GPU, or the one before it, and whether it was measured."""
        about = [
            (each, profile)
            for profile in self.profiles
            for each in profile.versions
            if each.applies(compute_capability_tens)
        ]
        for each, profile in about:
            if each.holds(version):
                return profile, profile.is_measured
        older = [profile for each, profile in about if version_key(each.first) <= version_key(version)]
        return (older[-1] if older else about[0][1]), False


ENGINES: tuple[EngineName, ...] = ("vllm", "sglang", "tensorrt-llm", "llama.cpp", "transformers")


@cache
def load_engines() -> dict[EngineName, EngineCatalogRow]:
    """The engines whose memory behaviour is known."""
    rows = (read_yaml(f"engines/{name.replace('.', '-')}.yaml", EngineCatalogRow) for name in ENGINES)
    return {row.engine: row for row in rows}


def find_engine(name: EngineName) -> EngineCatalogRow:
    """The engine called ``name``."""
    return load_engines()[name]


@lru_cache(maxsize=1024)
def find_profile(name: EngineName, version: str, compute_capability_tens: int) -> tuple[Profile, bool]:
    """The profile of a release of ``name`` on such a GPU, and whether that release was measured."""
    return find_engine(name).profile(version, compute_capability_tens)
