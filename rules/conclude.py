"""The recommendation, from what was weighed and which rules fired."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import get_args

from schemas.recommendation import (
    Alternative,
    Deployment,
    EvidenceOf,
    FactValue,
    Finding,
    KvCache,
    ModelSummary,
    OutsideBudget,
    PerGpu,
    Range,
    RankNeed,
    Recommendation,
    RuleOfThumb,
    Versions,
    Weights,
)
from schemas.request import SizingRequest
from schemas.vocabulary import FindingLevel, Locale
from sizing.arguments import changed_arguments
from sizing.estimate import Breakdown, Estimate, KvCacheFigures, TermEvidence
from sizing.plain_modules import plain_modules

from .alternatives import why
from .evaluate import flat
from .rule import Rule
from .weigh import Judged, leaves

_LOUDNESS: tuple[FindingLevel, ...] = get_args(FindingLevel)

_MOST_FINDINGS = 512
"""Findings kept of one rule, before all of them are forgotten: most rules say the same again and again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighings:
    """All that was weighed for one request."""

    main: Judged
    others: Sequence[Judged]
    """Its alternatives, best first."""
    nearest_miss: Judged | None
    fewest_gpus: int | None


def conclude(request: SizingRequest, request_id: str, weighings: Weighings, versions: Versions) -> Recommendation:
    """The answer to ``request``."""
    main, miss = weighings.main, weighings.nearest_miss
    estimate = main.weighed.estimate
    per_gpu = _per_gpu(estimate.per_gpu)
    return Recommendation(
        request_id=request_id,
        verdict=main.weighed.verdict,
        per_gpu=per_gpu,
        ranks=[
            RankNeed(
                pipeline_stages=list(rank.pipeline_stages),
                count=rank.num_ranks,
                per_gpu=per_gpu if rank.per_gpu == estimate.per_gpu else _per_gpu(rank.per_gpu),
            )
            for rank in estimate.ranks
        ],
        outside_budget=_outside_budget(estimate),
        fewest_gpus=weighings.fewest_gpus,
        range=Range(low_bytes=estimate.low_bytes, high_bytes=estimate.high_bytes),
        model=_model(estimate),
        weights=_weights(estimate),
        kv_cache=_kv_cache(estimate.kv_cache),
        rule_of_thumb=_rule_of_thumb(estimate),
        support=main.weighed.support.shown,
        deployment=_deployment(estimate),
        findings=findings(main, request.locale),
        alternatives=[_alternative(main, other, request.locale) for other in weighings.others],
        nearest_miss=_alternative(main, miss, request.locale) if miss else None,
        evidence=_evidence(estimate.evidence),
        versions=versions,
        metadata=request.metadata,
    )


def _outside_budget(estimate: Estimate) -> OutsideBudget | None:
    outside = estimate.outside
    if outside is None:
        return None
    return OutsideBudget(
        low_bytes=outside.low_bytes,
        needed_bytes=outside.needed_bytes,
        high_bytes=outside.high_bytes,
        room_bytes=outside.room_bytes,
    )


def _weights(estimate: Estimate) -> Weights | None:
    model = estimate.deployment.model
    if estimate.weights_by_part is None or model is None:
        return None
    return Weights(
        bytes_by_part={str(part): size for part, size in estimate.weights_by_part.items()},
        unquantized_modules=list(plain_modules(model, estimate.deployment.storage)),
    )


def versions_of(rules: str, catalog: str) -> Versions:
    """The versions an answer is computed with."""
    return Versions(weighbridge=version("weighbridge"), rules=rules, catalog=catalog)


def findings(judged: Judged, locale: Locale) -> list[Finding]:
    """What the rules found, loudest first, then by id; a support rule that refuses is an error."""
    weighed, about = judged.weighed, judged.facts
    found = [_finding(rule, "error", (), flat(weighed.facts), locale) for rule in weighed.support.refusals]
    found += [_finding(rule, rule.level, rule.prefer, about, locale) for rule in judged.advice]
    return sorted(found, key=lambda finding: (-_LOUDNESS.index(finding.level), finding.rule))


def preferences(judged: Judged) -> list[str]:
    """What the advice prefers, loudest rule first, each preference once."""
    rules = sorted(judged.advice, key=lambda rule: (-_LOUDNESS.index(rule.level), rule.id))
    return list(dict.fromkeys(preference for rule in rules for preference in rule.prefer))


def _finding(
    rule: Rule, level: FindingLevel, prefer: Iterable[str], facts: Mapping[str, FactValue], locale: Locale
) -> Finding:
    told = (locale, *map(facts.__getitem__, rule.facts_read))
    if (found := rule.findings.get(told)) is None:
        found = Finding(
            rule=rule.id,
            level=level,
            message=rule.message[locale].render(facts, locale),
            prefer=list(prefer),
            facts={name: facts[name] for name in rule.facts_read},
            source=rule.source,
        )
        if len(rule.findings) >= _MOST_FINDINGS:
            rule.findings.clear()
        rule.findings[told] = found
    return found


def _alternative(main: Judged, judged: Judged, locale: Locale) -> Alternative:
    estimate = judged.weighed.estimate
    return Alternative(
        changes=dict(judged.weighed.changes),
        why=why(main.weighed, judged.weighed, locale),
        arguments=changed_arguments(
            main.weighed.estimate.deployment, estimate.deployment, leaves(judged.weighed.changes)
        ),
        verdict=judged.weighed.verdict,
        per_gpu=_per_gpu(estimate.per_gpu),
        kv_cache=_kv_cache(estimate.kv_cache),
        findings=findings(judged, locale),
    )


def _per_gpu(breakdown: Breakdown) -> PerGpu:
    return PerGpu(
        total_bytes=breakdown.total_bytes,
        usable_bytes=breakdown.usable_bytes,
        weights_bytes=breakdown.weights_bytes,
        kv_cache_bytes=breakdown.kv_cache_bytes,
        activation_bytes=breakdown.activation_bytes,
        overhead_bytes=breakdown.overhead_bytes,
        headroom_bytes=breakdown.headroom_bytes,
    )


def _kv_cache(figures: KvCacheFigures | None) -> KvCache | None:
    if figures is None:
        return None
    return KvCache(
        bytes_per_token=figures.bytes_per_token,
        bytes_per_token_per_gpu=figures.bytes_per_token_per_gpu,
        bytes_per_sequence_per_gpu=figures.bytes_per_sequence_per_gpu,
        pool_bytes_per_gpu=figures.pool_bytes_per_gpu,
        pool_tokens=figures.pool_tokens,
        max_concurrency=figures.max_concurrency,
        longest_max_model_len=figures.longest_max_model_len,
    )


def _model(estimate: Estimate) -> ModelSummary:
    deployment = estimate.deployment
    return ModelSummary(
        name=deployment.model_name,
        family=deployment.model.family if deployment.model else None,
        num_parameters=estimate.num_parameters,
        num_active_parameters=estimate.num_active_parameters,
        attention=list(deployment.model.attention_kinds) if deployment.model else [],
        weight_format=deployment.weight_format.name,
    )


def _rule_of_thumb(estimate: Estimate) -> RuleOfThumb:
    figures = estimate.rule_of_thumb
    return RuleOfThumb(
        factor=figures.factor,
        num_parameters=figures.num_parameters,
        total_bytes=figures.total_bytes,
        per_gpu_bytes=figures.per_gpu_bytes,
    )


def _deployment(estimate: Estimate) -> Deployment:
    found = estimate.deployment
    lora = found.engine.lora
    return Deployment(
        gpu=found.gpu.name,
        gpu_count=found.gpu_count,
        gpu_memory_bytes=found.gpu_memory_bytes,
        engine=found.engine.name,
        engine_version=found.engine.version,
        gpu_memory_utilization=found.engine.gpu_memory_utilization,
        max_num_seqs=found.engine.max_num_seqs,
        max_num_batched_tokens=found.engine.max_num_batched_tokens,
        max_model_len=found.max_model_len,
        concurrent_sequences=found.concurrent_sequences,
        tensor_parallel_size=found.split.tensor_parallel_size,
        pipeline_parallel_size=found.split.pipeline_parallel_size,
        data_parallel_size=found.split.data_parallel_size,
        enable_expert_parallel=found.split.enable_expert_parallel,
        enable_dp_attention=found.split.enable_dp_attention,
        max_loras=lora.max_loras if lora else None,
        max_lora_rank=lora.max_lora_rank if lora else None,
        num_speculative_tokens=found.draft.num_speculative_tokens if found.draft else None,
        kv_cache_dtype=found.kv_cache_dtype.name,
    )


@cache
def _evidence(evidence: TermEvidence) -> EvidenceOf:
    return EvidenceOf(
        weights=evidence.weights,
        kv_cache=evidence.kv_cache,
        activation=evidence.activation,
        overhead=evidence.overhead,
        usable=evidence.usable,
    )
