"""The recommendation, from what was weighed and which rules fired."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, get_args

from schemas.recommendation import EvidenceOf, FactValue, Finding, Recommendation, Versions
from schemas.request import SizingRequest
from schemas.vocabulary import FindingLevel, Locale
from sizing.arguments import changed_arguments
from sizing.estimate import Breakdown, Estimate, KvCacheFigures, OutsideBudget, RuleOfThumbFigures, TermEvidence
from sizing.plain_modules import plain_modules
from sizing.remembered import keep

from .alternatives import why
from .evaluate import flat
from .rule import Rule
from .weigh import Judged, leaves

_Part = dict[str, Any]
"""A part of the answer, before its shape has looked at it."""

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
    estimate, locale = main.weighed.estimate, request.locale
    # Its parts are made and checked in one go, which takes half as long as part by part.
    return Recommendation.model_validate(
        {
            "request_id": request_id,
            "verdict": main.weighed.verdict,
            "per_gpu": _per_gpu(estimate.per_gpu),
            "ranks": [
                {
                    "pipeline_stages": list(rank.pipeline_stages),
                    "count": rank.num_ranks,
                    "per_gpu": _per_gpu(rank.per_gpu),
                }
                for rank in estimate.ranks
            ],
            "outside_budget": _named(estimate.outside),
            "fewest_gpus": weighings.fewest_gpus,
            "range": {"low_bytes": estimate.low_bytes, "high_bytes": estimate.high_bytes},
            "model": _model(estimate),
            "weights": _weights(estimate),
            "kv_cache": _named(estimate.kv_cache),
            "rule_of_thumb": _named(estimate.rule_of_thumb),
            "support": main.weighed.support.shown,
            "deployment": _deployment(estimate),
            "findings": findings(main, locale),
            "alternatives": [_alternative(main, other, locale) for other in weighings.others],
            "nearest_miss": _alternative(main, miss, locale) if miss else None,
            "evidence": _evidence(estimate.evidence),
            "versions": versions,
            "metadata": request.metadata,
        }
    )


def _named(figures: OutsideBudget | KvCacheFigures | RuleOfThumbFigures | None) -> _Part | None:
    """Figures that are told under the names they have."""
    return figures._asdict() if figures else None


def _weights(estimate: Estimate) -> _Part | None:
    model = estimate.deployment.model
    if estimate.weights_by_part is None or model is None:
        return None
    return {
        "bytes_by_part": dict(estimate.weights_by_part),
        "unquantized_modules": list(plain_modules(model, estimate.deployment.storage)),
    }


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
    if (known := rule.findings.get(told)) is not None:
        return known
    found = Finding(
        rule=rule.id,
        level=level,
        message=rule.message[locale].render(facts, locale),
        prefer=list(prefer),
        facts={name: facts[name] for name in rule.facts_read},
        source=rule.source,
    )
    return keep(rule.findings, told, found, _MOST_FINDINGS)


def _alternative(main: Judged, judged: Judged, locale: Locale) -> _Part:
    estimate = judged.weighed.estimate
    return {
        "changes": dict(judged.weighed.changes),
        "why": why(main.weighed, judged.weighed, locale),
        "arguments": changed_arguments(
            main.weighed.estimate.deployment, estimate.deployment, leaves(judged.weighed.changes)
        ),
        "verdict": judged.weighed.verdict,
        "per_gpu": _per_gpu(estimate.per_gpu),
        "kv_cache": _named(estimate.kv_cache),
        "findings": findings(judged, locale),
    }


def _per_gpu(breakdown: Breakdown) -> _Part:
    return {
        **breakdown._asdict(),
        "total_bytes": breakdown.total_bytes,
        "headroom_bytes": breakdown.headroom_bytes,
    }


def _model(estimate: Estimate) -> _Part:
    deployment = estimate.deployment
    return {
        "name": deployment.model_name,
        "family": deployment.model.family if deployment.model else None,
        "num_parameters": estimate.num_parameters,
        "num_active_parameters": estimate.num_active_parameters,
        "attention": list(deployment.model.attention_kinds) if deployment.model else [],
        "weight_format": deployment.weight_format.name,
    }


def _deployment(estimate: Estimate) -> _Part:
    found = estimate.deployment
    settings, split, lora = found.engine, found.split, found.engine.lora
    return {
        **split._asdict(),
        "gpu": found.gpu.name,
        "gpu_count": found.gpu_count,
        "gpu_memory_bytes": found.gpu_memory_bytes,
        "engine": settings.name,
        "engine_version": settings.version,
        "gpu_memory_utilization": settings.gpu_memory_utilization,
        "max_num_seqs": settings.max_num_seqs,
        "max_num_batched_tokens": settings.max_num_batched_tokens,
        "max_model_len": found.max_model_len,
        "concurrent_sequences": found.concurrent_sequences,
        "max_loras": lora.max_loras if lora else None,
        "max_lora_rank": lora.max_lora_rank if lora else None,
        "num_speculative_tokens": found.draft.num_speculative_tokens if found.draft else None,
        "kv_cache_dtype": found.kv_cache_dtype.name,
    }


@cache
def _evidence(evidence: TermEvidence) -> EvidenceOf:
    return EvidenceOf(**evidence._asdict())
