"""What is answered: a recommendation, or an error."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

from .closed import Closed
from .errors import WeighbridgeError
from .vocabulary import ErrorCode, Evidence, FindingLevel, SupportLevel, Verdict, WeightFormat

FactValue = str | int | bool


class PerGpu(Closed):
    """Bytes on the worst rank: usable = weights + kv cache + activation + overhead + headroom."""

    total_bytes: int
    """What is needed: weights + kv cache + activation + overhead."""
    usable_bytes: int
    """What the engine may plan with."""
    weights_bytes: int
    kv_cache_bytes: int
    """What the asked sequences take."""
    activation_bytes: int
    overhead_bytes: int
    headroom_bytes: int
    """What is left; negative when it does not fit."""


class RankNeed(Closed):
    """Ranks that need the same."""

    pipeline_stages: list[int]
    """Stages, counted from 0, whose ranks they are."""
    count: int
    """Number of such ranks in the deployment."""
    per_gpu: PerGpu


class OutsideBudget(Closed):
    """What the engine's budget does not count on the worst rank, such as context and CUDA graphs.

    It has to find room in what ``gpu_memory_utilization`` leaves of the GPU: the kv cache takes all of the budget.
    """

    low_bytes: int
    """Low end of what is needed; above ``room_bytes`` the engine does not start."""
    needed_bytes: int
    high_bytes: int
    """High end of what is needed; above ``room_bytes`` the engine may not start."""
    room_bytes: int


class Range(Closed):
    """Bytes needed on the worst rank, from the terms that are not exact."""

    low_bytes: int
    high_bytes: int


class ModelSummary(Closed):
    """The model as it was read."""

    name: str | None
    family: str | None
    num_parameters: int
    num_active_parameters: int | None
    """Parameters one token passes through; null when unknown."""
    attention: list[str]
    """Kinds of attention among the layers."""
    weight_format: WeightFormat


class Weights(Closed):
    """The weights on the worst rank, told apart."""

    bytes_by_part: dict[str, int]
    """Bytes of embedding, attention, mlp, experts, router, norm, output, vision, lora, draft and so on."""
    unquantized_modules: list[str]
    """Matrices that stay in 16 bit where the rest is quantized; a star stands for every layer."""


class KvCache(Closed):
    """The kv cache in bytes and tokens."""

    bytes_per_token: int
    """One token, all layers, one whole replica."""
    bytes_per_token_per_gpu: int
    bytes_per_sequence_per_gpu: int
    """One sequence of ``max_model_len`` tokens."""
    pool_bytes_per_gpu: int
    """What the engine can give to the cache; negative when the rest does not fit."""
    pool_tokens: int
    max_concurrency: float
    """Sequences of ``max_model_len`` tokens the pool holds."""
    longest_max_model_len: int
    """Longest sequence the pool holds."""


class RuleOfThumb(Closed):
    """Parameters x bytes per parameter x factor."""

    factor: float
    num_parameters: int
    """The count used: the size the model is known by where one is published, else the exact count."""
    total_bytes: int
    per_gpu_bytes: int


class SupportOf(Closed):
    """How well one thing is supported where it would run."""

    level: SupportLevel
    effect: str
    """What is gained: compute+memory, memory+decode bandwidth, memory only, none."""
    rule: str
    """Rule that concluded it."""


class Support(Closed):
    """How well the deployment's formats and engine are supported on its GPU."""

    weights: SupportOf
    kv_cache: SupportOf
    engine: SupportOf


class Deployment(Closed):
    """What was weighed, every default resolved."""

    gpu: str
    gpu_count: int
    gpu_memory_bytes: int
    """Memory of one GPU that CUDA or ROCm shows a process."""
    engine: str
    engine_version: str
    gpu_memory_utilization: float
    max_num_seqs: int
    max_num_batched_tokens: int
    max_model_len: int
    concurrent_sequences: int
    tensor_parallel_size: int
    pipeline_parallel_size: int
    data_parallel_size: int
    enable_expert_parallel: bool
    enable_dp_attention: bool
    max_loras: int | None
    """LoRA adapters held on the GPU at once; null where none are served."""
    max_lora_rank: int | None
    num_speculative_tokens: int | None
    """Tokens a draft proposes at a time; null without a draft."""
    kv_cache_dtype: str


class Finding(Closed):
    """What one rule concluded, and from what."""

    rule: str
    level: FindingLevel
    message: str
    prefer: list[str]
    """Formats or settings the rule would rather see."""
    facts: dict[str, FactValue]
    """The facts the rule read."""
    source: str


class Alternative(Closed):
    """Another way to deploy the same model, weighed by the same code."""

    changes: dict[str, JsonValue]
    """Fields of the request to replace."""
    arguments: list[str]
    """The engine's arguments that change with them, such as ``--max-model-len 40192``."""
    why: str
    """What each change brings, in words."""
    verdict: Verdict
    per_gpu: PerGpu
    kv_cache: KvCache | None
    findings: list[Finding]


class EvidenceOf(Closed):
    """What each term of the estimate rests on."""

    weights: Evidence
    kv_cache: Evidence
    activation: Evidence
    overhead: Evidence
    usable: Evidence


class Versions(Closed):
    """What the answer was computed with."""

    weighbridge: str
    rules: str
    catalog: str


class Recommendation(Closed):
    """A weighed deployment."""

    request_id: str
    status: Literal["ok"] = "ok"
    verdict: Verdict
    per_gpu: PerGpu
    ranks: list[RankNeed]
    """Each distinct rank; empty by the rule of thumb."""
    outside_budget: OutsideBudget | None
    """Null by the rule of thumb."""
    fewest_gpus: int | None
    """Fewest GPUs of the type, tried as machines have them, that start it; null where none of them does."""
    range: Range
    model: ModelSummary
    weights: Weights | None
    """Null by the rule of thumb."""
    kv_cache: KvCache | None
    """Null by the rule of thumb, which has no term of its own for it."""
    rule_of_thumb: RuleOfThumb
    support: Support
    deployment: Deployment
    findings: list[Finding]
    alternatives: list[Alternative]
    """Other ways that start, best first."""
    nearest_miss: Alternative | None
    """Where nothing starts, what is missing least: its headroom, negative, is what is missing."""
    evidence: EvidenceOf
    versions: Versions
    metadata: dict[str, JsonValue]


class ErrorDetail(Closed):
    """What is wrong and how to mend it."""

    code: ErrorCode
    message: str
    field: str | None = None
    hint: str | None = None


class ErrorAnswer(Closed):
    """A request that could not be answered."""

    request_id: str
    status: Literal["error"] = "error"
    error: ErrorDetail

    @classmethod
    def of(cls, request_id: str, error: WeighbridgeError) -> "ErrorAnswer":
        """The answer that tells of ``error``."""
        detail = ErrorDetail(
            code=error.code,
            message=_writable(error.message),
            field=error.field and _writable(error.field),
            hint=error.hint and _writable(error.hint),
        )
        return cls(request_id=request_id, error=detail)


MAX_TEXT_CHARACTERS = 2048
"""Characters of each text of an error: what it repeats of the request may be much longer, and is cut."""


def _writable(text: str) -> str:
    """The text with what UTF-8 cannot write, half of a surrogate pair in somebody's field name, spelt out."""
    spelt = text.encode(errors="backslashreplace").decode()
    return spelt if len(spelt) <= MAX_TEXT_CHARACTERS else spelt[: MAX_TEXT_CHARACTERS - 3] + "..."


Answer = Annotated[Recommendation | ErrorAnswer, Field(discriminator="status")]
ANSWER: TypeAdapter[Recommendation | ErrorAnswer] = TypeAdapter(Answer)
