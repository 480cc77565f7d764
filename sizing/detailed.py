"""Term by term: weights, kv cache, activations, overhead, on every pipeline stage; the worst one counts."""

from dataclasses import replace
from typing import NamedTuple

from . import engine
from .catalog.formats import KvDtype
from .deployment import Deployment, Draft, EngineSettings, Sizes
from .engine import Term
from .estimate import Breakdown, KvCacheFigures, OutsideBudget, RankFigures, TermEvidence
from .kv_cache import StageCache, stage_cache
from .lora import lora_bytes
from .model import Model
from .parallelism import IndivisibleError, stages
from .remembered import of_each_model
from .storage import Storage
from .weights import PartBytes, Placement, placed, tensor_parallel_sizes, weights_per_stage


class Stage(NamedTuple):
    """What one rank of a pipeline stage needs."""

    weights: Term
    parts: PartBytes
    """Weights by what they are for."""
    peak: Term
    """Activations, wherever the engine keeps them."""
    activation: Term
    """The peak, as far as the engine's budget counts it."""
    overhead: Term
    taken: Term
    """All three."""
    outside: Term
    """What the budget does not count, and has to find room in what it leaves of the GPU."""
    cache: StageCache
    sequence_bytes: int
    """Kv cache of one sequence of ``max_model_len`` tokens, in whole blocks."""

    def breakdown(self, usable_bytes: int, sequences: int) -> Breakdown:
        """What a rank of the stage needs for so many sequences of ``max_model_len`` tokens."""
        return Breakdown(
            usable_bytes=usable_bytes,
            weights_bytes=self.weights.expected,
            kv_cache_bytes=self.sequence_bytes * sequences,
            activation_bytes=self.activation.expected,
            overhead_bytes=self.overhead.expected,
        )


class Load(NamedTuple):
    """What decides whether a deployment starts."""

    stages: tuple[Stage, ...]
    worst: Stage
    """The one that needs most."""
    per_gpu: Breakdown
    """Of a rank of the worst stage."""
    low_bytes: int
    high_bytes: int
    outside: OutsideBudget


class Need(NamedTuple):
    """A load told in full: every distinct rank, and what the pool holds on the tightest one."""

    load: Load
    ranks: tuple[RankFigures, ...]
    kv_cache: KvCacheFigures
    evidence: TermEvidence


def load(deployment: Deployment, model: Model) -> Load:
    """What each GPU needs, from the tensor inventory, the kv cache spec and the engine's profile.

    Raises: InvalidRequestError when the model cannot be split as asked.
    """
    usable = engine.usable_bytes(deployment.engine, deployment.gpu_memory_bytes)
    sequences = deployment.sequences_of_a_replica
    found = stages_of(deployment, model)
    worst = max(found, key=lambda stage: stage.taken.expected + sequences * stage.sequence_bytes)
    # The terms are those of different stages.
    outside = Term(*map(max, zip(*[stage.outside for stage in found], strict=True)))
    return Load(
        stages=tuple(found),
        worst=worst,
        per_gpu=worst.breakdown(usable, sequences),
        low_bytes=worst.taken.low + worst.sequence_bytes * sequences,
        high_bytes=max(stage.taken.high + sequences * stage.sequence_bytes for stage in found),
        outside=OutsideBudget(
            low_bytes=outside.low,
            needed_bytes=outside.expected,
            high_bytes=outside.high,
            room_bytes=deployment.gpu_memory_bytes - usable,
        ),
    )


def weigh(deployment: Deployment, model: Model) -> Need:
    """The load of ``deployment``, told in full.

    Raises: InvalidRequestError when the model cannot be split as asked.
    """
    settings, carried = deployment.engine, load(deployment, model)
    return Need(
        load=carried,
        ranks=_ranks(deployment, carried),
        kv_cache=_kv_cache(deployment, model, carried),
        evidence=TermEvidence(
            weights=deployment.storage.evidence,
            kv_cache="config",
            activation="calibrated" if settings.is_measured else "assumed",
            overhead="calibrated" if settings.is_measured else "assumed",
            usable=deployment.memory_evidence,
        ),
    )


def _ranks(deployment: Deployment, carried: Load) -> tuple[RankFigures, ...]:
    usable, sequences = carried.per_gpu.usable_bytes, deployment.sequences_of_a_replica
    alike: dict[Breakdown, list[int]] = {}
    for place, stage in enumerate(carried.stages):
        alike.setdefault(stage.breakdown(usable, sequences), []).append(place)
    a_stage = deployment.split.world_size // len(carried.stages)
    return tuple(
        RankFigures(pipeline_stages=tuple(places), num_ranks=a_stage * len(places), per_gpu=per_gpu)
        for per_gpu, places in alike.items()
    )


def stages_of(deployment: Deployment, model: Model) -> list[Stage]:
    """What one rank of each pipeline stage needs.

    Raises: InvalidRequestError when the model cannot be split as asked.
    """
    settings, sizes, memory = deployment.engine, deployment.split, deployment.gpu_memory_bytes
    counts_activation = "activation" in settings.profile.budget.counts
    held_by_host = engine.held_by_host(settings, memory)
    standing = _standing(model, deployment.storage, deployment.draft, settings, sizes, deployment.kv_cache_dtype)
    found = []
    for place, (weights, parts, overhead, outside, cache) in enumerate(standing):
        is_last = place == len(standing) - 1
        peak = engine.activation(model, settings, sizes, cache.cells(deployment.max_model_len), place == 0, is_last)
        if deployment.draft and is_last:
            peak = engine.while_speculating(peak)
        counted = peak if counts_activation else engine.NOTHING
        beside = overhead.plus(held_by_host)
        taken = weights.plus(counted).plus(beside)
        left_alone = engine.left_alone(settings, memory, taken)
        found.append(
            Stage(
                weights=weights,
                peak=peak,
                activation=counted,
                overhead=beside.plus(left_alone),
                parts=parts,
                taken=taken.plus(left_alone),
                outside=outside if counts_activation else outside.plus(peak),
                cache=cache,
                sequence_bytes=cache.sequence_bytes(deployment.max_model_len),
            )
        )
    return found


class _Standing(NamedTuple):
    """What one rank of a pipeline stage holds on any GPU and for sequences of any length."""

    weights: Term
    parts: PartBytes
    overhead: Term
    outside: Term
    cache: StageCache


@of_each_model
def _standing(  # noqa: PLR0917 - positional, as results are remembered by them
    model: Model, storage: Storage, draft: Draft | None, settings: EngineSettings, sizes: Sizes, dtype: KvDtype
) -> tuple[_Standing, ...]:
    spans = stages(model.num_hidden_layers, sizes.pipeline_parallel_size)
    placement = placed(storage, settings, sizes)
    try:
        weights = [dict(parts) for parts in weights_per_stage(model, placement)]
        if settings.lora:
            for parts, size in zip(weights, lora_bytes(model, settings.lora, placement), strict=True):
                parts["lora"] = size
        if draft:
            weights[-1]["draft"] = _draft_bytes(draft, placement)
    except IndivisibleError as error:
        works = ", ".join(map(str, tensor_parallel_sizes(model, placement)))
        error.hint = f"sizes that divide this model: {works}"
        raise
    beside = engine.beside_allocator(settings, model, sizes)
    overhead = engine.overhead(settings, beside).plus(engine.rotary_tables(settings, model, storage.plain.bits))
    outside = engine.outside(settings, beside).plus(engine.experts_workspace(settings, model, storage.quantized))
    caches = [_cache(settings, model, span, dtype, sizes.attention_parallel_size) for span in spans]
    if draft:
        caches[-1] = _with_draft(caches[-1], settings, draft.model, dtype, sizes.attention_parallel_size)
    return tuple(
        _Standing(
            weights=engine.weights_range(settings.profile, sum(parts.values())),
            parts=parts,
            overhead=overhead,
            outside=outside,
            cache=cache,
        )
        for parts, cache in zip(weights, caches, strict=True)
    )


def _draft_bytes(draft: Draft, placement: Placement) -> int:
    """Weights of the draft on one rank; it is divided as the model is, on the last stage."""
    sizes = placement.sizes._replace(pipeline_parallel_size=1)
    (parts,) = weights_per_stage(draft.model, replace(placement, storage=draft.storage, sizes=sizes))
    return sum(parts.values())


def _with_draft(cache: StageCache, settings: EngineSettings, draft: Model, dtype: KvDtype, ranks: int) -> StageCache:
    """``cache`` with what the draft keeps of the same tokens."""
    beside = _cache(settings, draft, range(draft.num_hidden_layers), dtype, ranks)
    return replace(cache, shares=(*cache.shares, *beside.shares))


def _cache(settings: EngineSettings, model: Model, span: range, dtype: KvDtype, ranks: int) -> StageCache:
    return stage_cache(
        model,
        span,
        dtype,
        ranks,
        settings.block_size,
        settings.max_num_batched_tokens,
        settings.profile.kv_cache_allocator,
    )


def _whole_cache(deployment: Deployment, model: Model) -> StageCache:
    """The cache of all layers, and of the draft's, undivided."""
    settings, dtype = deployment.engine, deployment.kv_cache_dtype
    cache = _cache(settings, model, range(model.num_hidden_layers), dtype, 1)
    return _with_draft(cache, settings, deployment.draft.model, dtype, 1) if deployment.draft else cache


def _kv_cache(deployment: Deployment, model: Model, carried: Load) -> KvCacheFigures:
    found, usable = carried.stages, carried.per_gpu.usable_bytes

    def pool(stage: Stage) -> int:
        return usable - stage.taken.expected

    tightest = min(found, key=lambda stage: pool(stage) * 2**20 // max(stage.sequence_bytes, 1))
    pool_bytes = max(pool(tightest), 0)
    longest = tightest.cache.longest_sequence(pool_bytes)
    return KvCacheFigures(
        bytes_per_token=-(-_whole_cache(deployment, model).bits_per_token // 8),
        bytes_per_token_per_gpu=max(-(-stage.cache.bits_per_token // 8) for stage in found),
        bytes_per_sequence_per_gpu=max(stage.sequence_bytes for stage in found),
        pool_bytes_per_gpu=pool(tightest),
        pool_tokens=longest,
        longest_max_model_len=longest,
        max_concurrency=pool_bytes * 100 // max(tightest.sequence_bytes, 1) / 100,
    )
