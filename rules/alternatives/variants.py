"""The changes that are tried: each turns a weighed deployment into another request."""

from collections.abc import Iterable, Iterator
from typing import cast

from pydantic import JsonValue

from schemas.request import Hardware, SizingRequest
from schemas.vocabulary import KvCacheDtype, WeightFormat
from sizing.catalog.formats import FormatCatalog
from sizing.catalog.gpus import Gpu
from sizing.sharing import fitting_utilization_percent

from ..placements import counts_of, with_more
from ..weigh import Changes, Weighed

Variant = tuple[SizingRequest, Changes]
"""A request, and how it differs from the one that was asked."""

_KV_CACHE = "kv-cache:"
_GGUF, _GGUF_ENGINE = "gguf", "llama.cpp"
"""A GGUF file is another checkpoint, for the engine that reads nothing else; elsewhere it is offered to nobody."""


def preferred(of: Weighed, preferences: Iterable[str]) -> Iterator[Variant]:
    """What rules would rather see, in their order."""
    for preference in preferences:
        if preference.startswith(_KV_CACHE):
            yield from kv_cache(of, preference.removeprefix(_KV_CACHE))
        elif preference != of.estimate.deployment.weight_format.name:
            yield weight_format(of, cast(WeightFormat, preference))


def weight_format(of: Weighed, name: WeightFormat) -> Variant:
    """The weights in another format."""
    return _changed(of, of.request.model_copy(update={"weight_format": name}), {"weight_format": name})


def weight_formats(of: Weighed, formats: FormatCatalog) -> Iterator[Variant]:
    """The weights in each format that takes less, or in any where the one asked for is unsupported."""
    current, is_unsupported = of.estimate.deployment.weight_format, of.verdict == "unsupported"
    reads_gguf = of.estimate.deployment.engine.name == _GGUF_ENGINE
    for each in formats.weights.values():
        is_less = each.bits < current.bits or is_unsupported
        if each.name != current.name and is_less and (each.kind != _GGUF or reads_gguf):
            yield weight_format(of, each.name)


def kv_cache(of: Weighed, dtype: str) -> Iterator[Variant]:
    """The kv cache in another type; by the rule of thumb it is part of the factor, and another type changes nothing."""
    if of.estimate.kv_cache is not None and dtype != of.estimate.deployment.kv_cache_dtype.name:
        request = of.request.model_copy(update={"kv_cache_dtype": cast(KvCacheDtype, dtype)})
        yield _changed(of, request, {"kv_cache_dtype": dtype})


def smaller_kv_caches(of: Weighed, formats: FormatCatalog) -> Iterator[Variant]:
    """The kv cache in each type of fewer bits."""
    bits = of.estimate.deployment.kv_cache_dtype.bits
    for name, each in formats.kv_cache.items():
        if each.bits < bits:
            yield from kv_cache(of, name)


def more_gpus(of: Weighed) -> Iterator[Variant]:
    """More GPUs of the same type, fewest first."""
    hardware = of.request.hardware
    deployment = of.estimate.deployment
    for count in (each for each in counts_of(deployment.gpu) if hardware and each > deployment.gpu_count):
        if of.may_fit_on(count):
            yield from on(of, cast(Hardware, hardware), count)


def other_gpu(of: Weighed, gpu: Gpu, counts: Iterable[int] | None = None) -> Iterator[Variant]:
    """GPUs of another type, fewest first."""
    for count in counts or counts_of(gpu):
        if of.may_fit_on(count, gpu.memory_bytes):
            yield from on(of, Hardware(gpu=gpu.name), count)


def on(of: Weighed, hardware: Hardware, count: int) -> Iterator[Variant]:
    """So many GPUs like ``hardware``; then the same with whole experts on each, which need not divide."""
    request, sizes = with_more(of.request, hardware, count)
    asked, model = of.request.hardware, of.estimate.deployment.model
    named = {} if asked and asked.gpu == hardware.gpu else {"gpu": hardware.gpu}
    changes: Changes = {"hardware": {**named, "count": count}, **sizes}
    yield _changed(of, request, changes)
    if count > 1 and model and model.is_mixture_of_experts and not request.parallelism.enable_expert_parallel:
        spread: dict[str, JsonValue] = {"enable_expert_parallel": True}
        spreading = request.model_copy(update={"parallelism": request.parallelism.model_copy(update=spread)})
        yield spreading, _merged(_merged(of.changes, changes), {"parallelism": spread})


def other_splits(of: Weighed) -> Iterator[Variant]:
    """The same GPUs in fewer tensor-parallel ranks and more pipeline stages: heads that are copied are copied less."""
    asked, split = of.request.parallelism, of.estimate.deployment.split
    stages = 2 * split.pipeline_parallel_size
    while split.tensor_parallel_size * split.pipeline_parallel_size % stages == 0:
        ranks = split.tensor_parallel_size * split.pipeline_parallel_size // stages
        sizes: dict[str, JsonValue] = {"tensor_parallel_size": ranks, "pipeline_parallel_size": stages}
        request = of.request.model_copy(update={"parallelism": asked.model_copy(update=sizes)})
        yield _changed(of, request, {"parallelism": sizes})
        stages *= 2


def shorter_sequences(of: Weighed) -> Iterator[Variant]:
    """Sequences of the length that the pool holds."""
    figures = of.estimate.kv_cache
    if figures is None or not 0 < figures.longest_max_model_len < of.estimate.deployment.max_model_len:
        return
    longest = figures.longest_max_model_len
    workload = of.request.workload.model_copy(update={"max_model_len": longest})
    request = of.request.model_copy(update={"workload": workload})
    yield _changed(of, request, {"workload": {"max_model_len": longest}})


def smaller_budget(of: Weighed) -> Iterator[Variant]:
    """A utilization that leaves room for what lives outside the budget."""
    outside = of.estimate.outside
    if outside is None or outside.verdict == "fits":
        return
    percent = fitting_utilization_percent(of.estimate.deployment, outside)
    if percent > 0:
        engine = of.request.engine.model_copy(update={"gpu_memory_utilization": percent / 100})
        request = of.request.model_copy(update={"engine": engine})
        yield _changed(of, request, {"engine": {"gpu_memory_utilization": percent / 100}})


def _changed(of: Weighed, request: SizingRequest, changes: Changes) -> Variant:
    """``request`` with all the changes that led to it."""
    return request, _merged(of.changes, changes)


def _merged(before: Changes, more: Changes) -> Changes:
    """Both changes, nested fields included; what is said later holds."""
    merged = dict(before)
    for name, said in more.items():
        known = merged.get(name)
        merged[name] = {**known, **said} if isinstance(known, dict) and isinstance(said, dict) else said
    return merged
