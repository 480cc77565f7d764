"""What is asked: a model, how it is served, and on which hardware."""

import json
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Discriminator, Field, JsonValue, Tag, field_validator, model_validator

from .closed import Closed
from .vocabulary import EngineName, KvCacheDtype, Locale, Method, WeightFormat

MAX_METADATA_BYTES = 4096
MAX_NUM_PARAMETERS = 10**15
"""Some hundred times the largest model there is."""

Name = Annotated[str, Field(min_length=1, max_length=256)]
Tokens = Annotated[int, Field(ge=1, le=2**31 - 1)]
Ranks = Annotated[int, Field(ge=1, le=65_536)]
Fraction = Annotated[float, Field(gt=0, le=1)]


class ModelByName(Closed):
    """A model of the catalogue."""

    name: Name
    """Name as published, such as ``Qwen/Qwen3-8B``."""


class ModelBySize(Closed):
    """A bare parameter count, sized by the rule of thumb."""

    num_parameters: Annotated[int, Field(ge=1, le=MAX_NUM_PARAMETERS)]
    """Number of parameters, not billions of them."""


class ModelByConfig(Closed):
    """A config.json handed over in the request."""

    config: Annotated[dict[str, JsonValue], Field(min_length=1, max_length=512)]
    """The model's config.json."""
    quantization_config: dict[str, JsonValue] | None = None
    """Replaces the config's own ``quantization_config`` when given."""


class ModelByPath(Closed):
    """A folder below the configured model root, or a GGUF file there."""

    path: Name
    """Path relative to ``WEIGHBRIDGE_MODEL_ROOT``."""


class ModelByRepo(Closed):
    """A repository of a model hub."""

    repo: Name
    """Repository as ``organisation/name``."""
    revision: Name | None = None
    """Branch, tag or commit."""


MODEL_KEYS = ("name", "num_parameters", "config", "path", "repo")


def _kind_of_model(value: object) -> str | None:
    """The one key that says how the model is given; None when there is none or more than one."""
    if isinstance(value, Closed):
        return next(key for key in MODEL_KEYS if key in type(value).model_fields)
    keys = [key for key in MODEL_KEYS if isinstance(value, Mapping) and key in value]
    return keys[0] if len(keys) == 1 else None


Model = Annotated[
    Annotated[ModelByName, Tag("name")]
    | Annotated[ModelBySize, Tag("num_parameters")]
    | Annotated[ModelByConfig, Tag("config")]
    | Annotated[ModelByPath, Tag("path")]
    | Annotated[ModelByRepo, Tag("repo")],
    Discriminator(
        _kind_of_model,
        custom_error_type="model_reference",
        custom_error_message="give exactly one of name, num_parameters, config, path or repo",
    ),
]


class Engine(Closed):
    """The inference engine and those of its arguments that move memory; null means the engine's default."""

    name: EngineName = "vllm"
    version: Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,6}){0,3}$")] | None = None
    """Release such as ``0.19.0``; null means the newest release whose memory behaviour was measured, and for support
    the one that the rules describe."""
    gpu_memory_utilization: Fraction | None = None
    """Fraction of the GPU's memory the engine may plan with."""
    max_num_seqs: Annotated[int, Field(ge=1, le=65_536)] | None = None
    """Sequences in one batch."""
    max_num_batched_tokens: Tokens | None = None
    """Tokens in one batch."""
    enforce_eager: bool = False
    """True leaves CUDA graphs out."""
    max_loras: Annotated[int, Field(ge=1, le=1024)] | None = None
    """LoRA adapters held on the GPU at once; null means that none are served."""
    max_lora_rank: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Highest rank of an adapter; null means the engine's default."""
    flash_attention: bool | None = None
    """Whether attention keeps its scores out of memory, for engines that have the switch (llama.cpp)."""


class Workload(Closed):
    """What the deployment has to hold at once."""

    max_model_len: Tokens | None = None
    """Tokens of the longest sequence; null means 8192, or what the model's config allows if that is less."""
    concurrent_sequences: Annotated[int, Field(ge=1, le=1_048_576)] = 1
    """Sequences of ``max_model_len`` tokens that must fit in the kv cache together."""


class Parallelism(Closed):
    """How the model is split; the product of the sizes is the number of GPUs used."""

    tensor_parallel_size: Ranks | None = None
    """Ranks each layer is split over; null means all GPUs that the other sizes leave, which llama.cpp makes stages."""
    pipeline_parallel_size: Ranks = 1
    data_parallel_size: Ranks = 1
    enable_expert_parallel: bool = False
    enable_dp_attention: bool = False
    """Whether tensor-parallel ranks make ``data_parallel_size`` groups that attend to different sequences."""

    @property
    def gpus_per_rank(self) -> int:
        """GPUs for each tensor-parallel rank: one in every pipeline stage of every replica."""
        return self.pipeline_parallel_size * (1 if self.enable_dp_attention else self.data_parallel_size)


class Speculative(Closed):
    """Speculative decoding: tokens that a draft proposes and the model checks."""

    num_speculative_tokens: Annotated[int, Field(ge=1, le=64)]
    """Tokens proposed at a time."""
    draft_model: Model | None = None
    """A smaller model that proposes; null means the model's own layers for multi-token prediction."""


class Hardware(Closed):
    """GPUs of one type."""

    gpu: Name
    """Name as the catalogue, a driver, a node label or a person writes it."""
    count: Ranks | None = None
    """Number of GPUs; null means as many as the parallel sizes multiply to."""
    memory_bytes: Annotated[int, Field(ge=2**20, le=2**50)] | None = None
    """Memory of one GPU as its driver reports it, in bytes, in place of the catalogue's."""
    mig: Annotated[str, Field(pattern=r"^(mig-)?[0-9]{1,2}g\.[0-9]{1,4}gb$")] | None = None
    """MIG profile, such as ``3g.40gb``: ``count`` is then the number of slices."""
    free_bytes: Annotated[int, Field(ge=0, le=2**50)] | None = None
    """Free memory of a GPU that others use too, in bytes; null means all of it is free."""


class SizingRequest(Closed):
    """One deployment to weigh.  Only ``model`` is required."""

    request_id: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")] | None = None
    """Idempotency key in printable ASCII; assigned where the request is taken in if absent."""
    model: Model
    weight_format: WeightFormat | None = None
    """Format the weights are served in; null means as published."""
    kv_cache_dtype: KvCacheDtype = "auto"
    engine: Engine = Field(default_factory=Engine)
    workload: Workload = Field(default_factory=Workload)
    parallelism: Parallelism = Field(default_factory=Parallelism)
    speculative: Speculative | None = None
    """Null decodes token by token."""
    hardware: Hardware | None = None
    """Null asks for a ranking of the catalogue's GPUs."""
    method: Method | None = None
    """Null means ``detailed``, or ``rule-of-thumb`` for a bare parameter count."""
    rule_of_thumb_factor: Annotated[float, Field(ge=1, le=10)] = 1.2
    """What parameters x bytes is multiplied by: 1.2, or 1.3 to 1.5 for long contexts and many turns."""
    candidate_gpus: Annotated[list[Name], Field(max_length=128)] | None = None
    """GPU types to weigh beside the one asked for; null means the catalogue's, where nothing else starts it."""
    alternatives: Annotated[int, Field(ge=0, le=50)] = 5
    """How many alternatives to offer at most."""
    locale: Locale = "en"
    metadata: dict[str, JsonValue] = Field(default_factory=dict)
    """Echoed in the answer; at most 4 KiB as JSON."""

    @field_validator("metadata")
    @classmethod
    def _metadata_is_small(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        try:
            size = len(json.dumps(value, ensure_ascii=False).encode())
        except UnicodeEncodeError:
            raise ValueError("holds half of a surrogate pair, which no answer could echo") from None
        if size > MAX_METADATA_BYTES:
            raise ValueError(f"is {size} bytes as JSON, more than {MAX_METADATA_BYTES}")
        return value

    @model_validator(mode="after")
    def _method_suits_the_model(self) -> Self:
        if self.method == "detailed" and isinstance(self.model, ModelBySize):
            raise ValueError("a bare num_parameters can only be sized by the rule of thumb")
        return self
