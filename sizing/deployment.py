"""A request with every name looked up and every default resolved.

What each estimate makes anew is a tuple: a frozen dataclass takes several times as long.
"""

from dataclasses import dataclass
from typing import NamedTuple

from schemas.vocabulary import EngineName, Evidence, KvCacheDtype, Method

from .catalog.formats import Format, KvDtype
from .catalog.gpus import Gpu
from .catalog.profile import Profile
from .model import Model
from .storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraSlots:
    """Room for LoRA adapters."""

    max_loras: int
    max_lora_rank: int
    bits: int
    """Bits of an element."""
    covers_experts: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What proposes tokens in speculative decoding."""

    model: Model
    storage: Storage
    num_speculative_tokens: int


class EngineSettings(NamedTuple):
    """An engine release and its arguments, defaults filled in."""

    name: EngineName
    version: str
    profile: Profile
    is_measured: bool
    """Whether the memory behaviour of this release was measured."""
    vocabulary_padding: int
    block_size: int
    """Tokens the kv cache is handed out in."""
    keeps_rotary_tables: bool
    """Whether each rank holds the cosines and sines of every position."""
    keeps_tables_in_host_memory: bool
    """Whether tables of which each token reads one row stay off the GPU."""
    flash_attention: bool
    """Whether attention reads its scores as it computes them, and keeps none in memory."""
    gpu_memory_utilization: float
    max_num_seqs: int
    max_num_batched_tokens: int
    enforce_eager: bool
    lora: LoraSlots | None
    """None where no adapters are served."""
    gpu_form: str
    """How the GPU is built, as the catalogue has it: what links ranks to each other goes with it."""
    host_share_per_mille: int
    """Of the GPU's memory, the most that the host may hold where it is one memory."""


class Sizes(NamedTuple):
    """How many ranks each kind of parallelism has."""

    tensor_parallel_size: int
    pipeline_parallel_size: int
    data_parallel_size: int
    enable_expert_parallel: bool
    enable_dp_attention: bool = False
    """Whether data-parallel groups are made of the tensor-parallel ranks, for attention alone."""

    @property
    def replicas(self) -> int:
        """Groups of tensor-parallel ranks that each hold a model of their own."""
        return 1 if self.enable_dp_attention else self.data_parallel_size

    @property
    def world_size(self) -> int:
        """GPUs the deployment uses."""
        return self.tensor_parallel_size * self.pipeline_parallel_size * self.replicas

    @property
    def attention_parallel_size(self) -> int:
        """Ranks that divide the heads of one sequence between them."""
        groups = self.data_parallel_size if self.enable_dp_attention else 1
        return max(self.tensor_parallel_size // groups, 1)


class Deployment(NamedTuple):
    """What is weighed."""

    model_name: str | None
    """Catalogue name, or the path or repository the model was read from; None where there is neither."""
    model: Model | None
    """None for a bare parameter count."""
    num_parameters: int
    """Exact count of the model, or the bare count asked for."""
    nominal_num_parameters: int
    """The size the model is known by, where one is published; else ``num_parameters``."""
    storage: Storage
    weight_format: Format
    """Format of the tensors that a quantized format applies to, or of all tensors."""
    kv_cache_dtype: KvDtype
    """Resolved, never ``auto``."""
    asked_kv_cache_dtype: KvCacheDtype
    draft: Draft | None
    """None without speculative decoding."""
    engine: EngineSettings
    gpu: Gpu
    gpu_count: int
    gpu_memory_bytes: int
    """Memory of one GPU, or of one slice of it, as a process sees it."""
    free_bytes: int
    """What of it is free when the engine starts."""
    memory_evidence: Evidence
    split: Sizes
    max_model_len: int
    concurrent_sequences: int
    method: Method
    rule_of_thumb_factor: float

    @property
    def sequences_of_a_replica(self) -> int:
        """Sequences that one replica, or one group of attention ranks, is asked to hold together."""
        return -(-self.concurrent_sequences // self.split.data_parallel_size)
