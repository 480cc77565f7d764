"""The facts rules may read: two closed, flat sets of strings, integers and booleans."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, NamedTuple, TypedDict, get_args, get_origin, get_type_hints

from schemas.vocabulary import EngineName, KvCacheDtype, Method, SupportLevel, Verdict, WeightFormat
from sizing.catalog.gpus import Link

PassName = Literal["support", "advice"]
"""The two passes, in the order they run."""

Term = Literal["weights", "kv_cache", "activation", "overhead"]
"""The terms of the need."""


class SupportFacts(NamedTuple):
    """What support is concluded from: discrete, and few enough to enumerate."""

    vendor: str
    """Who makes the GPU: nvidia, amd, intel."""
    architecture: str
    """The GPU's generation: ampere, ada, amd-cdna3 and so on."""
    compute_capability_tens: int
    """CUDA compute capability times ten, such as 86 or 121; 0 where there is none."""
    has_tensor_cores: bool
    """Whether the GPU multiplies matrices in units of their own, which its compute capability does not tell."""
    weight_format: WeightFormat
    """Format the weights are served in."""
    weight_format_kind: str
    """Group of the format: fp32, 16-bit, fp8, int8, int4, fp4, bitsandbytes, gguf."""
    weight_format_is_asked: bool
    """Whether the request names the format; otherwise the engine may choose another 16-bit type."""
    kv_cache_dtype: KvCacheDtype
    """Element type of the kv cache; ``auto`` where the engine keeps it in what it computes in."""
    engine: EngineName
    """Inference engine."""
    engine_release: int
    """Release of the engine, three digits each for minor and patch: 0.10.1 is 10_001 and 1.2 is 1_002_000."""


class AdviceFacts(TypedDict):
    """What findings are drawn from: the deployment, its figures, and the support concluded for it.

    A dictionary, as rules read facts by name, and an object of so many fields takes twice as long to make.
    """

    gpu: str
    """Catalogue name of the GPU."""
    vendor: str
    """Who makes the GPU: nvidia, amd, intel."""
    architecture: str
    """The GPU's generation: ampere, ada, amd-cdna3 and so on."""
    compute_capability_tens: int
    """CUDA compute capability times ten; 0 where there is none."""
    gpu_is_consumer: bool
    """Whether the GPU is sold as a desktop or laptop card."""
    gpu_link: Link
    """What joins several GPUs beside PCIe: none, a bridge for pairs, or a fabric for all of a machine."""
    gpus_per_machine: int
    """GPUs of this type that reach each other without leaving their machine."""
    gpu_box_gb: int
    """Memory the GPU is sold with, in what its box calls GB."""
    gpu_count: int
    """GPUs the deployment has."""
    rated_watts: int
    """What all of them are rated at together; 0 where that is not known."""
    gpu_memory_bytes: int
    """Memory of one GPU as a process sees it."""
    gpu_free_bytes: int
    """What of it is free when the engine starts; all of it unless the request says otherwise."""
    free_percent_of_memory: int
    """The same in percent of the GPU's memory, rounded down."""
    gpu_is_partly_used: bool
    """Whether others hold a part of the GPU."""
    engine_finds_too_little_free: bool
    """Whether less is free than the engine would plan with, at which it does not start."""
    host_shares_memory: bool
    """Whether GPU and host share one memory."""
    hardware_is_given: bool
    """Whether the request names the GPU; otherwise it is the best of the catalogue."""
    consumer_gpus_that_fit: int
    """Catalogue's consumer cards that hold the deployment; 0 when the hardware is given."""

    model_name: str
    """Catalogue name of the model, or the path or repository it was read from, or empty."""
    model_family: str
    """Family of the model, or empty for a bare parameter count."""
    model_dtype: str
    """Type the model was published in, such as bfloat16, or empty."""
    num_parameters: int
    """Exact count of the model, or the bare count asked for."""
    num_active_parameters: int
    """Parameters a token passes through; all of them in a dense model."""
    model_is_mixture_of_experts: bool
    """Whether a token passes through some of the experts only."""
    num_experts: int
    """Routed experts a layer; 0 for a dense model."""
    num_key_value_heads: int
    """Key-value heads of a layer; 0 where it is not heads that are kept."""
    keeps_latents: bool
    """Whether the kv cache holds latents, which every tensor parallel rank keeps whole."""
    vocab_size: int
    """Entries of the vocabulary; 0 for a bare parameter count."""
    max_position_embeddings: int
    """Positions the model's config allows, scaled rotations included; 0 where it names none."""
    context_exceeds_config: bool
    """Whether ``max_model_len`` is more than that."""
    tie_word_embeddings: bool
    """Whether the output matrix is the embedding."""
    multi_token_prediction_parameters: int
    """Parameters of layers for speculative decoding that the checkpoint has beside the model."""
    tower_bytes: int
    """Encoders of images and sound on the worst rank."""
    vocabulary_bytes: int
    """Embedding and output matrix on the worst rank, which quantized formats leave in 16 bit."""
    vocabulary_percent_of_weights: int
    """The same in percent of the weights."""

    weight_format: WeightFormat
    """Format the weights are served in."""
    weight_format_kind: str
    """Group of the format: fp32, 16-bit, fp8, int8, int4, fp4, bitsandbytes, gguf."""
    weight_format_is_asked: bool
    """Whether the request names the format."""
    weight_bits: int
    """Bits of one stored weight, scales apart."""
    sixteen_bit_verdict: Literal["fits", "tight", "does_not_fit", "unsupported", "unknown"]
    """What the scales say of the same request in 16 bit; unknown unless the format is a quantized one that fits."""
    kv_cache_dtype: KvCacheDtype
    """Element type of the kv cache; ``auto`` where the engine keeps it in what it computes in."""
    engine: EngineName
    """Inference engine."""
    engine_version: str
    """Release of the engine."""
    engine_is_measured: bool
    """Whether the memory behaviour of this release was measured."""
    gpu_memory_utilization_percent: int
    """Percent of a GPU's memory the engine may plan with."""
    max_num_seqs: int
    """Sequences in one batch."""
    max_num_batched_tokens: int
    """Tokens in one batch."""
    tensor_parallel_size: int
    """Ranks each layer is split over."""
    pipeline_parallel_size: int
    """Stages the layers are split over."""
    data_parallel_size: int
    """Replicas."""
    enable_expert_parallel: bool
    """Whether ranks hold whole experts instead of slices of all."""
    idle_gpus: int
    """GPUs that no rank runs on."""
    tensor_parallel_sizes: str
    """Where GPUs are idle, the tensor parallel sizes that divide the model, such as ``1, 2, 4``; else empty."""
    kv_head_copies: int
    """Tensor parallel ranks that keep the same key-value head; 1 where each keeps its own."""
    pipeline_excess_percent: int
    """How many percent more weights the fullest pipeline stage holds than the mean of them."""
    max_model_len: int
    """Tokens of the longest sequence."""
    concurrent_sequences: int
    """Sequences that must fit in the kv cache together."""

    method: Method
    """How the need is computed."""
    memory_verdict: Verdict
    """What the bytes alone say; fits, tight or does_not_fit."""
    outside_budget_verdict: Verdict
    """Whether there is room for what the engine's budget does not count; fits, tight or does_not_fit."""
    outside_budget_bytes: int
    """What the worst rank needs outside the engine's budget: context, graphs, workspaces."""
    outside_budget_high_bytes: int
    """High end of what the worst rank needs outside the engine's budget."""
    outside_budget_room_bytes: int
    """What the engine's budget leaves of the GPU."""
    fitting_utilization_percent: int
    """Largest gpu_memory_utilization, in hundredths, that leaves room for the high end of it."""
    total_bytes: int
    """What the worst rank needs."""
    high_bytes: int
    """High end of what the worst rank needs."""
    usable_bytes: int
    """What the engine may plan with on one GPU."""
    weights_bytes: int
    """Weights on the worst rank."""
    kv_cache_bytes: int
    """Kv cache of the asked sequences on the worst rank."""
    activation_bytes: int
    """Activation peak on the worst rank."""
    overhead_bytes: int
    """What the engine's runtime takes on one GPU."""
    lora_bytes: int
    """Slots for LoRA adapters on the worst rank, which the weights include; 0 where none are served."""
    max_loras: int
    """Adapters held on the GPU at once; 0 where none are served."""
    max_lora_rank: int
    """Highest rank of an adapter; 0 where none are served."""
    draft_bytes: int
    """Weights of what proposes tokens on the last stage's ranks, which the weights include; 0 without a draft."""
    num_speculative_tokens: int
    """Tokens proposed at a time; 0 without a draft."""
    headroom_bytes: int
    """What is left on the worst rank; negative when it does not fit."""
    headroom_percent: int
    """What is left in hundredths of what the engine may plan with, rounded down."""
    shortfall_bytes: int
    """What is missing on the worst rank; negative when something is left."""
    total_percent_of_usable: int
    """What the worst rank needs, in percent of what the engine may plan with."""
    weights_percent_of_usable: int
    """Weights on the worst rank, in percent of the same."""
    runtime_percent_of_usable: int
    """Activations and overhead, in percent of the same."""
    runtime_bytes_of_all_gpus: int
    """Activations and overhead of all GPUs together."""
    usable_bytes_by_box: int
    """What the engine would plan with if a process saw all that the GPU is sold with."""
    ecc_can_be_switched: bool
    """Whether the catalogue knows what error correction takes of this GPU's memory."""
    usable_bytes_with_ecc_switched: int
    """What it would plan with if error correction were the other way; as it is where that is not known."""
    half_the_gpus_suffice: bool
    """Whether half of the GPUs of the one replica would surely hold it."""
    largest_term: Term
    """Term that takes the most bytes on the worst rank."""
    longest_max_model_len: int
    """Tokens of the longest sequence the kv cache's pool holds; 0 by the rule of thumb."""
    sequences_in_pool: int
    """Sequences of ``max_model_len`` tokens the pool holds; 0 by the rule of thumb."""
    kv_cache_percent_of_weights: int
    """Kv cache of the asked sequences in percent of the weights."""
    least_max_num_seqs: int
    """Sequences one replica is asked to hold together."""
    bytes_freed_by_max_num_seqs: int
    """What activations shrink by where ``max_num_seqs`` is no more than that; 0 where all fits."""
    bytes_freed_by_enforce_eager: int
    """What of the engine's budget CUDA graphs take; 0 where all fits."""
    sufficient_utilization_percent: int
    """The least utilization above the one asked for that would hold the need; 0 where none would, or all fits."""
    rule_of_thumb_bytes: int
    """Parameters x bytes per parameter x factor."""
    rule_of_thumb_factor_percent: int
    """The factor in hundredths, such as 120."""
    unmatched_tensors: str
    """Tensors in the files of the model that its family does not have, the first of them; empty when there are none."""
    unmatched_bytes: int
    """What of them is counted beside the family's tensors."""
    assumed_terms: str
    """Terms that rest on an assumption, joined by commas; empty when none does."""

    weights_support: SupportLevel
    """How well the format is supported by engine and GPU together."""
    weights_support_by_hardware: SupportLevel
    """How well the GPU itself supports the format."""
    weights_effect: str
    """What the format gains where it runs."""
    kv_cache_support: SupportLevel
    """How well the kv cache's type is supported by engine and GPU together."""
    kv_cache_effect: str
    """What the kv cache's type gains where it runs."""
    engine_support: SupportLevel
    """How well the engine is supported on the GPU."""


@dataclass(frozen=True, slots=True)
class FactType:
    """What values a fact can take."""

    kind: type[str] | type[int] | type[bool]
    allowed: tuple[str, ...] | None
    """The closed list of a string fact, if it has one."""

    @property
    def spoken(self) -> str:
        """Its type in words."""
        return _SPOKEN[self.kind]

    def refuses(self, value: object) -> str | None:
        """Why ``value`` cannot be this fact's, or None when it can."""
        if type(value) is not self.kind:
            return f"{value!r} is not a {self.spoken}"
        if self.allowed is not None and value not in self.allowed:
            return f"{value!r} is not one of its values"
        return None


KNOWN_LATE = ("hardware_is_given", "consumer_gpus_that_fit", "sixteen_bit_verdict")
"""Facts of the second pass that follow from how other deployments were weighed."""

Declared = Mapping[str, FactType]
"""Facts by name, with the values each can take."""

_SPOKEN = {str: "string", int: "whole number", bool: "boolean"}

FACTS_OF: dict[PassName, type[SupportFacts] | type[AdviceFacts]] = {
    "support": SupportFacts,
    "advice": AdviceFacts,
}


@cache
def declared(of: PassName) -> dict[str, FactType]:
    """Every fact of a pass by name, with the values it can take."""
    return {name: _fact_type(said) for name, said in get_type_hints(FACTS_OF[of]).items()}


def _fact_type(annotation: object) -> FactType:
    if get_origin(annotation) is Literal:
        return FactType(str, get_args(annotation))
    for kind in (str, int, bool):
        if annotation is kind:
            return FactType(kind, None)
    raise TypeError(f"a fact is a string, an integer or a boolean, not {annotation!r}")
