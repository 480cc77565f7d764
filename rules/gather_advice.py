"""What advice rules read, taken out of what sizing found."""

from collections.abc import Sequence
from functools import cache
from typing import Literal, NamedTuple

from schemas.vocabulary import Verdict
from sizing.balance import excess_percent
from sizing.catalog.machines import gpus_per_machine
from sizing.deployment import Deployment
from sizing.estimate import Breakdown, Estimate, TermEvidence, verdict_of
from sizing.other_memory import usable_by_the_box, usable_with_ecc_switched
from sizing.relief import relief
from sizing.sharing import fitting_utilization_percent, refuses_to_start
from sizing.spare import half_suffices
from sizing.weights import placement_of, tensor_parallel_sizes

from .facts import AdviceFacts, Term
from .gather_support import kind_of
from .limits import MAX_INTEGER
from .support_levels import SupportConclusions

NAMES_SHOWN = 3
NAME_SHOWN = 80
"""Characters of each."""

SixteenBitVerdict = Verdict | Literal["unknown"]


class Circumstances(NamedTuple):
    """What rules may know that a single estimate cannot tell."""

    weight_format_is_asked: bool
    hardware_is_given: bool
    consumer_gpus_that_fit: int
    sixteen_bit_verdict: SixteenBitVerdict


def gather_advice(estimate: Estimate, support: SupportConclusions, circumstances: Circumstances) -> AdviceFacts:
    """What findings about ``estimate`` are drawn from.

    Bytes saturate at the largest integer that rules can compare, which no memory comes near.
    """
    deployment, per_gpu = estimate.deployment, estimate.per_gpu
    outside, lora = estimate.outside, deployment.engine.lora
    gpu, model, figures = deployment.gpu, deployment.model, estimate.kv_cache
    engine, sizes, others = deployment.engine, deployment.split, relief(estimate)
    parts = estimate.weights_by_part or {}
    vocabulary = parts.get("embedding", 0) + parts.get("output", 0)
    usable, total, headroom = per_gpu.usable_bytes, per_gpu.total_bytes, per_gpu.headroom_bytes
    runtime = per_gpu.activation_bytes + per_gpu.overhead_bytes
    heads = model.num_key_value_heads if model else 0
    longest_position = model.longest_position if model else 0
    switched = usable_with_ecc_switched(deployment)
    stored = deployment.storage.stored
    return {
        "gpu": gpu.name,
        "vendor": gpu.vendor,
        "architecture": gpu.architecture,
        "compute_capability_tens": gpu.compute_capability_tens,
        "gpu_is_consumer": gpu.is_consumer,
        "gpu_link": gpu.link,
        "gpus_per_machine": gpus_per_machine(gpu),
        "gpu_box_gb": round(gpu.marketing_memory_gb),
        "gpu_count": deployment.gpu_count,
        "rated_watts": gpu.tdp_w * deployment.gpu_count,
        "gpu_memory_bytes": deployment.gpu_memory_bytes,
        "gpu_free_bytes": deployment.free_bytes,
        "free_percent_of_memory": _percent(deployment.free_bytes, deployment.gpu_memory_bytes),
        "gpu_is_partly_used": deployment.free_bytes < deployment.gpu_memory_bytes,
        "engine_finds_too_little_free": refuses_to_start(deployment),
        "host_shares_memory": engine.host_share_per_mille > 0,
        "hardware_is_given": circumstances.hardware_is_given,
        "consumer_gpus_that_fit": circumstances.consumer_gpus_that_fit,
        "model_name": deployment.model_name or "",
        "model_family": model.family if model else "",
        "model_dtype": model.dtype if model else "",
        "num_parameters": deployment.num_parameters,
        "num_active_parameters": estimate.num_active_parameters or deployment.num_parameters,
        "model_is_mixture_of_experts": model is not None and model.is_mixture_of_experts,
        "num_experts": model.num_experts if model else 0,
        "num_key_value_heads": heads,
        "keeps_latents": model is not None and model.keeps_latents,
        "vocab_size": _saturated(model.vocab_size) if model else 0,
        "max_position_embeddings": _saturated(longest_position),
        "context_exceeds_config": 0 < longest_position < deployment.max_model_len,
        "tie_word_embeddings": model is not None and model.tie_word_embeddings,
        "multi_token_prediction_parameters": _saturated(model.multi_token_prediction.num_parameters) if model else 0,
        "tower_bytes": _saturated(parts.get("vision", 0) + parts.get("audio", 0)),
        "vocabulary_bytes": _saturated(vocabulary),
        "vocabulary_percent_of_weights": _percent(vocabulary, per_gpu.weights_bytes),
        "weight_format": deployment.weight_format.name,
        "weight_format_kind": kind_of(deployment.weight_format),
        "weight_format_is_asked": circumstances.weight_format_is_asked,
        "weight_bits": deployment.weight_format.bits,
        "sixteen_bit_verdict": circumstances.sixteen_bit_verdict,
        "kv_cache_dtype": deployment.asked_kv_cache_dtype,
        "engine": engine.name,
        "engine_version": engine.version,
        "engine_is_measured": engine.is_measured,
        "gpu_memory_utilization_percent": round(engine.gpu_memory_utilization * 100),
        "max_num_seqs": engine.max_num_seqs,
        "max_num_batched_tokens": engine.max_num_batched_tokens,
        "tensor_parallel_size": sizes.tensor_parallel_size,
        "pipeline_parallel_size": sizes.pipeline_parallel_size,
        "data_parallel_size": sizes.data_parallel_size,
        "enable_expert_parallel": sizes.enable_expert_parallel,
        "idle_gpus": _idle(deployment),
        "kv_head_copies": max(sizes.tensor_parallel_size // heads, 1) if heads else 1,
        "tensor_parallel_sizes": _tensor_parallel_sizes(deployment),
        "pipeline_excess_percent": excess_percent(deployment, model) if model else 0,
        "max_model_len": deployment.max_model_len,
        "concurrent_sequences": deployment.concurrent_sequences,
        "method": deployment.method,
        "memory_verdict": verdict_of(usable, total, estimate.high_bytes),
        "outside_budget_verdict": outside.verdict if outside else "fits",
        "outside_budget_bytes": _saturated(outside.needed_bytes) if outside else 0,
        "outside_budget_high_bytes": _saturated(outside.high_bytes) if outside else 0,
        "outside_budget_room_bytes": _saturated(outside.room_bytes) if outside else 0,
        "fitting_utilization_percent": fitting_utilization_percent(deployment, outside) if outside else 0,
        "total_bytes": _saturated(total),
        "high_bytes": _saturated(estimate.high_bytes),
        "usable_bytes": _saturated(usable),
        "weights_bytes": _saturated(per_gpu.weights_bytes),
        "kv_cache_bytes": _saturated(per_gpu.kv_cache_bytes),
        "activation_bytes": _saturated(per_gpu.activation_bytes),
        "overhead_bytes": _saturated(per_gpu.overhead_bytes),
        "lora_bytes": _saturated(estimate.part_bytes("lora")),
        "max_loras": lora.max_loras if lora else 0,
        "max_lora_rank": lora.max_lora_rank if lora else 0,
        "draft_bytes": _saturated(estimate.part_bytes("draft")),
        "num_speculative_tokens": deployment.draft.num_speculative_tokens if deployment.draft else 0,
        "headroom_bytes": _saturated(headroom),
        "headroom_percent": _saturated(headroom * 100 // max(usable, 1)),
        "shortfall_bytes": _saturated(-headroom),
        "total_percent_of_usable": _percent(total, usable),
        "weights_percent_of_usable": _percent(per_gpu.weights_bytes, usable),
        "runtime_percent_of_usable": _percent(runtime, usable),
        "runtime_bytes_of_all_gpus": _saturated(runtime * sizes.world_size),
        "usable_bytes_by_box": _saturated(usable_by_the_box(deployment)),
        "ecc_can_be_switched": switched is not None,
        "usable_bytes_with_ecc_switched": _saturated(usable if switched is None else switched),
        "half_the_gpus_suffice": half_suffices(estimate),
        "largest_term": _largest_term(per_gpu),
        "longest_max_model_len": figures.longest_max_model_len if figures else 0,
        "sequences_in_pool": _saturated(int(figures.max_concurrency)) if figures else 0,
        "kv_cache_percent_of_weights": _percent(per_gpu.kv_cache_bytes, per_gpu.weights_bytes),
        "least_max_num_seqs": others.least_max_num_seqs,
        "bytes_freed_by_max_num_seqs": _saturated(others.bytes_freed_by_max_num_seqs),
        "bytes_freed_by_enforce_eager": _saturated(others.bytes_freed_by_enforce_eager),
        "sufficient_utilization_percent": others.sufficient_utilization_percent,
        "rule_of_thumb_bytes": _saturated(estimate.rule_of_thumb.total_bytes),
        "rule_of_thumb_factor_percent": round(estimate.rule_of_thumb.factor * 100),
        "unmatched_tensors": _shown(stored.unmatched) if stored else "",
        "unmatched_bytes": _saturated(stored.unmatched_bytes) if stored else 0,
        "assumed_terms": _assumed_terms(estimate.evidence),
        "weights_support": support.weights.level,
        "weights_support_by_hardware": support.weights_by_hardware.level,
        "weights_effect": support.weights.effect,
        "kv_cache_support": support.kv_cache.level,
        "kv_cache_effect": support.kv_cache.effect,
        "engine_support": support.engine.level,
    }


def _idle(deployment: Deployment) -> int:
    return deployment.gpu_count - deployment.split.world_size


def _tensor_parallel_sizes(deployment: Deployment) -> str:
    """The sizes that divide the model, up to what there is, where GPUs are left over."""
    if not _idle(deployment) or deployment.model is None:
        return ""
    sizes = tensor_parallel_sizes(deployment.model, placement_of(deployment))
    return ", ".join(str(each) for each in sizes if each <= deployment.gpu_count)


def _shown(names: Sequence[str]) -> str:
    """The first of ``names``, and how many there are beside them."""
    shown = ", ".join(name[:NAME_SHOWN] for name in names[:NAMES_SHOWN])
    return f"{shown}, ... ({len(names)})" if len(names) > NAMES_SHOWN else shown


def _saturated(value: int) -> int:
    return value if -MAX_INTEGER <= value <= MAX_INTEGER else MAX_INTEGER if value > 0 else -MAX_INTEGER


def _percent(part: int, whole: int) -> int:
    return _saturated(part * 100 // max(whole, 1))


def _largest_term(per_gpu: Breakdown) -> Term:
    sizes: dict[Term, int] = {
        "weights": per_gpu.weights_bytes,
        "kv_cache": per_gpu.kv_cache_bytes,
        "activation": per_gpu.activation_bytes,
        "overhead": per_gpu.overhead_bytes,
    }
    return max(sizes, key=sizes.__getitem__)


@cache
def _assumed_terms(evidence: TermEvidence) -> str:
    return ",".join(term for term, rests_on in evidence._asdict().items() if rests_on == "assumed")
