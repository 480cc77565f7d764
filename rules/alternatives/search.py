"""The search: single changes first, two together where none is enough, other GPUs where none of those is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from sizing.catalog.catalog import Catalog
from sizing.catalog.gpus import Gpu

from ..weigh import Scales, Weighed
from . import variants
from .ranking import quality, shortfall, spelt, worth
from .variants import Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What was found."""

    alternatives: tuple[Weighed, ...]
    nearest_miss: Weighed | None = None
    """Where nothing starts, what is missing least."""


def offer(base: Weighed, preferences: Sequence[str], catalog: Catalog, scales: Scales, *, limit: int) -> Offer:
    """Up to ``limit`` changes to ``base`` that start.

    What rules prefer comes first, in their order.  Where ``base`` does not fit, or barely, changes of one kind
    follow, best first (`ranking.worth`): format, kv cache, GPUs, split, length, utilization.  Where none of them
    starts, two together are tried; where they do not either, the smallest GPUs of other generations.  GPUs that
    the request names are tried whatever its verdict.
    """
    wanted = [each for each in scales.weigh_possible(variants.preferred(base, preferences)) if each.fits]
    found = list(_on_candidates(base, catalog, scales))
    if base.verdict != "fits":
        known = {each.facts.weight_format_kind for each in wanted}
        found += _single(base, known, catalog, scales)
        if not base.fits and not wanted and not found:
            found += _pairs(base, catalog, scales)
        if not base.fits and not wanted and not found:
            found += _other_generations(base, catalog, scales)
    offered = {spelt(each.changes): each for each in (*wanted, *sorted(found, key=worth))}
    if offered or base.fits:
        return Offer(alternatives=tuple(offered.values())[:limit])
    return Offer(alternatives=(), nearest_miss=_nearest(scales.weighed()))


def _single(base: Weighed, known: set[str], catalog: Catalog, scales: Scales) -> Iterator[Weighed]:
    """What starts with one change, and none of the kinds of formats already ``known``."""
    # Among equals the first of the catalogue is taken; a few bytes of scales more or less decide nothing.
    formats = sorted(_better(base, _native_formats(base, catalog, scales)), key=quality)
    yield from (each for kind, each in _first_of_each_kind(formats).items() if kind not in known)
    yield from _better(base, _native_kv_caches(base, catalog, scales))
    for ways in (variants.more_gpus(base), variants.other_splits(base)):
        yield from islice((each for variant in ways for each in _better(base, scales.weigh_possible([variant]))), 1)
    for kind in (variants.shorter_sequences, variants.smaller_budget):
        yield from _better(base, scales.weigh_possible(kind(base)))


def _pairs(base: Weighed, catalog: Catalog, scales: Scales) -> Iterator[Weighed]:
    """What starts with two changes: another format or cache, and GPUs or a length beside it."""
    formats = sorted(_native_formats(base, catalog, scales), key=lambda each: each.estimate.per_gpu.weights_bytes)
    caches = _native_kv_caches(base, catalog, scales)
    for first in (*_first_of_each_kind(formats).values(), *caches):
        yield from _first_that_starts(variants.more_gpus(first), scales)
        yield from _better(base, scales.weigh_possible(variants.shorter_sequences(first)))
        if first not in caches:
            yield from _better(base, _native_kv_caches(first, catalog, scales))


def _on_candidates(base: Weighed, catalog: Catalog, scales: Scales) -> Iterator[Weighed]:
    """The fewest of each GPU type that the request names beside its own.

    Raises: UnknownGpuError.
    """
    for name in base.request.candidate_gpus or ():
        gpu = catalog.gpus.find(name)
        if gpu.name != base.estimate.deployment.gpu.name:
            yield from _first_that_starts(variants.other_gpu(base, gpu), scales)


def _other_generations(base: Weighed, catalog: Catalog, scales: Scales) -> Iterator[Weighed]:
    """The smallest GPU of each generation that starts it, alone or, where none does, with others of its kind."""
    if base.request.candidate_gpus is not None:
        return
    generations: dict[str, list[Gpu]] = {}
    for gpu in catalog.gpus.gpus:
        generations.setdefault(gpu.architecture, []).append(gpu)
    for gpus in generations.values():
        smallest_first = sorted(gpus, key=lambda gpu: (gpu.memory_bytes, gpu.name))
        alone = (variant for gpu in smallest_first for variant in variants.other_gpu(base, gpu, (1,)))
        several = variants.other_gpu(base, smallest_first[-1])
        yield from _first_that_starts(chain(alone, several), scales)


def _native_formats(of: Weighed, catalog: Catalog, scales: Scales) -> list[Weighed]:
    """Other formats that GPU and engine support natively, weighed."""
    weighed = scales.weigh_possible(variants.weight_formats(of, catalog.formats))
    return [each for each in weighed if each.support.level == "native"]


def _native_kv_caches(of: Weighed, catalog: Catalog, scales: Scales) -> list[Weighed]:
    """Smaller types of kv cache that GPU and engine support natively, weighed."""
    smaller = variants.smaller_kv_caches(of, catalog.formats)
    weighed = scales.weigh_possible(
        variant for variant in smaller if scales.supports(of.facts._replace(kv_cache_dtype=variant[0].kv_cache_dtype))
    )
    return [each for each in weighed if each.support.kv_cache.level == "native"]


def _first_of_each_kind(weighed: Iterable[Weighed]) -> dict[str, Weighed]:
    """Of formats much alike only the first: a list of different ways out."""
    kinds: dict[str, Weighed] = {}
    for each in weighed:
        kinds.setdefault(each.facts.weight_format_kind, each)
    return kinds


def _first_that_starts(tried: Iterable[Variant], scales: Scales) -> Iterator[Weighed]:
    for variant in tried:
        if found := [each for each in scales.weigh_possible([variant]) if each.fits]:
            yield from found
            return


def _better(base: Weighed, weighed: Iterable[Weighed]) -> list[Weighed]:
    """Those that start with more certainty than ``base``."""
    return [each for each in weighed if each.fits and each.verdict != base.verdict]


def _nearest(weighed: Iterable[Weighed]) -> Weighed | None:
    missing = [each for each in weighed if each.changes and each.verdict != "unsupported"]
    return min(missing, key=shortfall, default=None)
