"""The facts rules may read: two closed, flat sets of strings, integers and booleans."""

from dataclasses import dataclass, fields
from functools import cache
from typing import Literal, get_args, get_origin, get_type_hints

from schemas.vocabulary import EngineName, KvCacheDtype, Method, SupportLevel, Verdict, WeightFormat

PassName = Literal["support", "advice"]
"""The two passes, in the order they run."""

Term = Literal["weights", "kv_cache", "activation", "overhead"]
"""The terms of the need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportFacts:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviceFacts:
    """What findings are drawn from: the deployment, its figures, and the support concluded for it."""

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
    gpu_count: int
    """GPUs the deployment uses."""
    gpu_memory_bytes: int
    """Memory of one GPU as a process sees it."""
    gpu_free_bytes: int
    """What of it is free when the engine starts; all of it unless the request says otherwise."""
    engine_finds_too_little_free: bool
    """Whether less is free than the engine would plan with, at which it does not start."""
    hardware_is_given: bool
    """Whether the request names the GPU; otherwise it is the best of the catalogue."""
    consumer_gpus_that_fit: int
    """Catalogue's consumer cards that hold the deployment; 0 when the hardware is given."""

    model_name: str
    """Catalogue name of the model, or empty."""
    model_family: str
    """Family of the model, or empty for a bare parameter count."""
    model_dtype: str
    """Type the model was published in, such as bfloat16, or empty."""
    num_parameters: int
    """Exact count of the model, or the bare count asked for."""
    model_is_mixture_of_experts: bool
    """Whether a token passes through some of the experts only."""

    weight_format: WeightFormat
    """Format the weights are served in."""
    weight_format_kind: str
    """Group of the format: fp32, 16-bit, fp8, int8, int4, fp4, bitsandbytes, gguf."""
    weight_format_is_asked: bool
    """Whether the request names the format."""
    weight_bits: int
    """Bits of one stored weight, scales apart."""
    sixteen_bit_verdict: Literal["fits", "tight", "does_not_fit", "unsupported", "unknown"]
    """What the scales say of the same request in 16 bit; unknown unless the format is a quantized one."""
    kv_cache_dtype: KvCacheDtype
    """Element type of the kv cache; ``auto`` where the engine keeps it in what it computes in."""
    engine: EngineName
    """Inference engine."""
    engine_version: str
    """Release of the engine."""
    engine_is_measured: bool
    """Whether the memory behaviour of this release was measured."""
    tensor_parallel_size: int
    """Ranks each layer is split over."""
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
    shortfall_bytes: int
    """What is missing on the worst rank; negative when something is left."""
    largest_term: Term
    """Term that takes the most bytes on the worst rank."""
    longest_max_model_len: int
    """Tokens of the longest sequence the kv cache's pool holds; 0 by the rule of thumb."""
    rule_of_thumb_bytes: int
    """Parameters x bytes per parameter x factor."""
    rule_of_thumb_factor_percent: int
    """The factor in hundredths, such as 120."""
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

    def refuses(self, value: object) -> str | None:
        """Why ``value`` cannot be this fact's, or None when it can."""
        if type(value) is not self.kind:
            return f"{value!r} is not a {_SPOKEN[self.kind]}"
        if self.allowed is not None and value not in self.allowed:
            return f"{value!r} is not one of its values"
        return None


_SPOKEN = {str: "string", int: "whole number", bool: "boolean"}

FACTS_OF: dict[PassName, type[SupportFacts] | type[AdviceFacts]] = {
    "support": SupportFacts,
    "advice": AdviceFacts,
}


@cache
def declared(of: PassName) -> dict[str, FactType]:
    """Every fact of a pass by name, with the values it can take."""
    hints = get_type_hints(FACTS_OF[of])
    return {field.name: _fact_type(hints[field.name]) for field in fields(FACTS_OF[of])}


def _fact_type(annotation: object) -> FactType:
    if get_origin(annotation) is Literal:
        return FactType(str, get_args(annotation))
    for kind in (str, int, bool):
        if annotation is kind:
            return FactType(kind, None)
    raise TypeError(f"a fact is a string, an integer or a boolean, not {annotation!r}")
