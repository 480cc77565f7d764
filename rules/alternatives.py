"""Other ways to deploy on the same type of GPU, each of them weighed before it is offered."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from schemas.request import SizingRequest
from schemas.vocabulary import KvCacheDtype, WeightFormat
from sizing.catalog.formats import FormatCatalog
from sizing.sharing import fitting_utilization_percent

from .placements import COUNTS, with_more
from .support_levels import EFFECTS, LEVELS
from .weigh import FITTING, Changes, Scales, Weighed

_KV_CACHE = "kv-cache:"

Variant = tuple[SizingRequest, Changes]


def offer(
    base: Weighed, preferred: Sequence[str], formats: FormatCatalog, scales: Scales, *, limit: int
) -> list[Weighed]:
    """Up to ``limit`` changes to ``base`` that start.

    What rules prefer comes first, in their order.  Where ``base`` does not fit, or barely, other formats, a
    smaller kv cache, more GPUs, shorter sequences and a smaller budget follow: those that fit before those that
    are tight, native support first and of it what gains most, then the least loss of quality in bits, the fewest
    GPUs, and the most headroom.
    """
    if not limit:
        return []
    wanted = [each for each in scales.weigh_possible(_preferred(base, preferred)) if each.fits]
    offered = {_spelt(each.changes): each for each in wanted}
    if base.verdict != "fits":
        kinds = {each.facts.weight_format_kind for each in wanted}
        relieving = [
            *_one_of_each_kind(_other_formats(base, formats, scales), kinds),
            *_smaller_kv_caches(base, formats, scales),
            *_more_gpus(base, scales),
            *_shorter_sequences(base, scales),
            *_smaller_budget(base, scales),
        ]
        for each in sorted(relieving, key=_worth):
            offered.setdefault(_spelt(each.changes), each)
    return list(offered.values())[:limit]


def _preferred(base: Weighed, preferred: Iterable[str]) -> Iterator[Variant]:
    for preference in preferred:
        if preference.startswith(_KV_CACHE):
            yield from _with_kv_cache(base, preference.removeprefix(_KV_CACHE))
        elif preference != base.estimate.deployment.weight_format.name:
            yield _with_format(base, cast(WeightFormat, preference))


def _with_format(base: Weighed, name: WeightFormat) -> Variant:
    return base.request.model_copy(update={"weight_format": name}), {"weight_format": name}


def _with_kv_cache(base: Weighed, dtype: str) -> Iterator[Variant]:
    # By the rule of thumb the kv cache is part of the factor: another type changes nothing.
    if base.estimate.kv_cache is not None and dtype != base.estimate.deployment.kv_cache_dtype.name:
        yield base.request.model_copy(update={"kv_cache_dtype": cast(KvCacheDtype, dtype)}), {"kv_cache_dtype": dtype}


_GGUF, _GGUF_ENGINE = "gguf", "llama.cpp"
"""A GGUF file is another checkpoint, for the engine that reads nothing else; elsewhere it is offered to nobody."""


def _other_formats(base: Weighed, formats: FormatCatalog, scales: Scales) -> list[Weighed]:
    """The formats the GPU and the engine support natively in which it starts."""
    current = base.estimate.deployment.weight_format
    # More bits would not fit where fewer do not; in place of an unsupported format any may do.
    candidates = [
        each
        for each in formats.weights.values()
        if each.name != current.name
        and (each.bits < current.bits or base.verdict == "unsupported")
        and (each.kind != _GGUF or base.estimate.deployment.engine.name == _GGUF_ENGINE)
    ]
    weighed = scales.weigh_possible(_with_format(base, each.name) for each in candidates)
    return [each for each in weighed if _relieves(base, each) and each.support.level == "native"]


def _one_of_each_kind(weighed: Iterable[Weighed], known: set[str]) -> list[Weighed]:
    """Of formats much alike only the best, and none of the kinds ``known``: a list of different ways out.

    Among equals the first of the catalogue is taken; a few bytes of scales more or less decide nothing.
    """
    kinds: dict[str, Weighed] = {}
    for each in sorted(weighed, key=_quality):
        kinds.setdefault(each.facts.weight_format_kind, each)
    return [each for kind, each in kinds.items() if kind not in known]


def _smaller_kv_caches(base: Weighed, formats: FormatCatalog, scales: Scales) -> list[Weighed]:
    bits = base.estimate.deployment.kv_cache_dtype.bits
    smaller = [name for name, each in formats.kv_cache.items() if each.bits < bits]
    weighed = scales.weigh_possible(variant for name in smaller for variant in _with_kv_cache(base, name))
    return [each for each in weighed if _relieves(base, each) and each.support.kv_cache.level == "native"]


def _more_gpus(base: Weighed, scales: Scales) -> list[Weighed]:
    """The fewest more GPUs of the same type that hold it."""
    hardware = base.request.hardware
    if hardware is None:
        return []
    for count in (each for each in COUNTS if each > base.estimate.deployment.gpu_count):
        request, changes = with_more(base.request, hardware, count)
        variant: Variant = (request, {"hardware": {"count": count}, **changes})
        if found := [each for each in scales.weigh_possible([variant]) if _relieves(base, each)]:
            return found
    return []


def _shorter_sequences(base: Weighed, scales: Scales) -> list[Weighed]:
    figures = base.estimate.kv_cache
    if figures is None or not 0 < figures.longest_max_model_len < base.estimate.deployment.max_model_len:
        return []
    longest = figures.longest_max_model_len
    workload = base.request.workload.model_copy(update={"max_model_len": longest})
    request = base.request.model_copy(update={"workload": workload})
    weighed = scales.weigh_possible([(request, {"workload": {"max_model_len": longest}})])
    return [each for each in weighed if _relieves(base, each)]


def _smaller_budget(base: Weighed, scales: Scales) -> list[Weighed]:
    """A utilization that leaves room for what lives outside the budget."""
    outside = base.estimate.outside
    if outside is None or outside.verdict == "fits":
        return []
    utilization = fitting_utilization_percent(base.estimate.deployment, outside) / 100
    if not 0 < utilization <= 1:
        return []
    engine = base.request.engine.model_copy(update={"gpu_memory_utilization": utilization})
    request = base.request.model_copy(update={"engine": engine})
    weighed = scales.weigh_possible([(request, {"engine": {"gpu_memory_utilization": utilization}})])
    return [each for each in weighed if _relieves(base, each)]


def _relieves(base: Weighed, other: Weighed) -> bool:
    """Whether ``other`` starts with more certainty than ``base``."""
    return other.fits and other.verdict != base.verdict


def _quality(weighed: Weighed) -> tuple[int, int, int, int, int]:
    deployment, support = weighed.estimate.deployment, weighed.support
    return (
        FITTING.index(weighed.verdict),
        LEVELS.index(support.level),
        EFFECTS.index(support.weights_effect),
        -deployment.weight_format.bits,
        -deployment.kv_cache_dtype.bits,
    )


def _worth(weighed: Weighed) -> tuple[tuple[int, ...], int, int, str]:
    return (
        _quality(weighed),
        weighed.estimate.deployment.gpu_count,
        -weighed.estimate.per_gpu.headroom_bytes,
        _spelt(weighed.changes),
    )


def _spelt(changes: Changes) -> str:
    return json.dumps(changes, sort_keys=True)
