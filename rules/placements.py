"""Where a request without hardware could run: the catalogue's GPUs, best first."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.errors import WeighbridgeError
from schemas.request import Hardware, SizingRequest
from sizing.catalog.gpus import Gpu

from .support_levels import LEVELS
from .weigh import FITTING, Changes, Scales, Weighed

COUNTS = (2, 4, 8)
"""How many GPUs are tried where one does not suffice: what one machine holds, and what heads divide by."""


def counts_of(gpu: Gpu) -> tuple[int, ...]:
    """How many of ``gpu`` one machine may have, fewest first."""
    return (1,) if gpu.stands_alone else (1, *COUNTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placements:
    """The best place to run, and the next best ones."""

    best: Weighed
    others: tuple[Weighed, ...]
    consumer_gpus_that_fit: int


def place(request: SizingRequest, gpus: Sequence[Gpu], scales: Scales, *, limit: int) -> Placements:
    """Where ``request`` runs best, and up to ``limit`` other places that hold it.

    Those that fit come before those that are tight, then native support, then the smallest memory.  The others are
    the best of each other generation.  Where nothing holds it, the best place is the largest supported GPU, and the
    others are several GPUs together.

    Raises: WeighbridgeError when no GPU can be weighed at all.
    """
    count = _asked_count(request)
    weighed = scales.weigh_possible(_on(request, gpu, count) for gpu in gpus)
    if not weighed:
        scales.weigh(*_on(request, gpus[0], count))
        raise WeighbridgeError("the catalogue has no GPU")
    fitting = sorted((each for each in weighed if each.fits), key=_preference)
    if fitting:
        return Placements(
            best=fitting[0],
            others=tuple(_best_of_each_generation(fitting)[1 : limit + 1]),
            consumer_gpus_that_fit=sum(each.estimate.deployment.gpu.is_consumer for each in fitting),
        )
    supported = [each for each in weighed if each.verdict != "unsupported"]
    together = _together(request, supported, scales, count) if limit else ()
    return Placements(
        best=min(supported or weighed, key=_largest_first),
        others=tuple(sorted(together, key=_preference)[:limit]),
        consumer_gpus_that_fit=0,
    )


def _best_of_each_generation(fitting: Iterable[Weighed]) -> list[Weighed]:
    """The first of each architecture, in their order."""
    best: dict[str, Weighed] = {}
    for each in fitting:
        best.setdefault(each.estimate.deployment.gpu.architecture, each)
    return list(best.values())


def with_more(request: SizingRequest, hardware: Hardware, count: int) -> tuple[SizingRequest, Changes]:
    """``request`` on ``count`` GPUs like ``hardware``, and what changes in its tensor parallelism.

    Without a tensor parallel size the request already says to use all GPUs there are.
    """
    sizes = request.parallelism
    ranks = sizes.gpus_per_rank
    placed = request.model_copy(update={"hardware": hardware.model_copy(update={"count": count})})
    if sizes.tensor_parallel_size in (None, count // ranks):
        return placed, {}
    tensor_parallel_size = max(count // ranks, 1)
    split = sizes.model_copy(update={"tensor_parallel_size": tensor_parallel_size})
    changes: Changes = {"parallelism": {"tensor_parallel_size": tensor_parallel_size}}
    return placed.model_copy(update={"parallelism": split}), changes


def _on(request: SizingRequest, gpu: Gpu, count: int) -> tuple[SizingRequest, Changes]:
    placed, changes = with_more(request, Hardware(gpu=gpu.name), count)
    return placed, {"hardware": {"gpu": gpu.name, "count": count}, **changes}


def _asked_count(request: SizingRequest) -> int:
    sizes = request.parallelism
    return (sizes.tensor_parallel_size or 1) * sizes.gpus_per_rank


def _together(request: SizingRequest, supported: Iterable[Weighed], scales: Scales, count: int) -> Iterator[Weighed]:
    """Each GPU type that several of can be put in one machine, with the fewest GPUs that hold the request."""
    for one in supported:
        gpu = one.estimate.deployment.gpu
        for several in (each for each in counts_of(gpu) if each > count):
            if found := [each for each in scales.weigh_possible([_on(request, gpu, several)]) if each.fits]:
                yield from found
                break


def _preference(weighed: Weighed) -> tuple[int, int, int, int, str]:
    deployment = weighed.estimate.deployment
    return (
        FITTING.index(weighed.verdict),
        LEVELS.index(weighed.support.level),
        deployment.gpu_count,
        deployment.gpu_memory_bytes,
        deployment.gpu.name,
    )


def _largest_first(weighed: Weighed) -> tuple[int, int, str]:
    deployment = weighed.estimate.deployment
    return -deployment.gpu_memory_bytes, LEVELS.index(weighed.support.level), deployment.gpu.name
