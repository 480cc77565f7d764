"""One deployment on the scales: its estimate, its support, and the verdict of both."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, NewType

from pydantic import JsonValue

from schemas.errors import WeighbridgeError
from schemas.recommendation import FactValue
from schemas.request import SizingRequest
from schemas.vocabulary import Verdict, WeightFormat
from sizing.estimate import Estimate

from .evaluate import Evaluator, flat
from .facts import SupportFacts
from .gather_advice import Circumstances, SixteenBitVerdict, gather_advice
from .gather_support import gather_support
from .rule import AdviceRule
from .support_levels import SupportConclusions

Changes = Mapping[str, JsonValue]
"""Fields of a request to replace."""

Figures = Callable[[SizingRequest], Estimate]
"""What computes an estimate."""

BytesVerdict = Callable[[SizingRequest], Verdict]
"""What computes no more of an estimate than its verdict."""

FITTING: tuple[Verdict, ...] = ("fits", "tight")
"""Verdicts with which a deployment starts, best first."""

_SIXTEEN_BIT = "16-bit"
"""The group of formats that 16-bit verdicts are about."""
_SIXTEEN_BIT_BYTES = 2

_Key = NewType("_Key", tuple[object, ...])


class Weighed(NamedTuple):
    """A deployment and what the scales say of it."""

    request: SizingRequest
    changes: Changes
    """How the request differs from the one that was asked."""
    estimate: Estimate
    facts: SupportFacts
    support: SupportConclusions
    verdict: Verdict
    """Unsupported also where a rule refuses it, whatever fits."""

    @property
    def fits(self) -> bool:
        """Whether it would start."""
        return self.verdict in FITTING

    def may_fit_on(self, count: int, gpu_memory_bytes: int | None = None) -> bool:
        """Whether so many GPUs, alike or of so much memory, could hold the stored elements alone.

        Quicker than weighing, and never wrong where it says no: scales, modules in 16 bit, cache and the rest come
        on top.
        """
        deployment = self.estimate.deployment
        least = self.estimate.num_parameters * deployment.weight_format.bits // 8
        return least // count <= (gpu_memory_bytes or deployment.gpu_memory_bytes)


class Judged(NamedTuple):
    """A weighed deployment and the advice that applies to it."""

    weighed: Weighed
    facts: Mapping[str, FactValue]
    advice: tuple[AdviceRule, ...]


@dataclass(slots=True, kw_only=True)
class Scales:
    """Weighs the variants of one request; each of them once."""

    figures: Figures
    verdict: BytesVerdict
    evaluator: Evaluator
    sixteen_bit_formats: tuple[WeightFormat, ...]
    metadata: Mapping[str, FactValue] = field(default_factory=dict)
    """What the facts that a site declares are of this request."""
    _weighed: dict[_Key, Weighed | WeighbridgeError] = field(default_factory=dict)
    _bytes_verdicts: dict[_Key, Verdict | None] = field(default_factory=dict)
    """Of what was not weighed."""

    def weigh(self, request: SizingRequest, changes: Changes) -> Weighed:
        """``request``, which has the ``changes`` applied, weighed.

        Raises: WeighbridgeError.
        """
        key = _key(request)
        if (found := self._weighed.get(key)) is None:
            try:
                found = self._weigh(request, changes)
            except WeighbridgeError as error:
                found = error
            self._weighed[key] = found
        if isinstance(found, WeighbridgeError):
            raise found
        return found

    def weigh_possible(self, variants: Iterable[tuple[SizingRequest, Changes]]) -> list[Weighed]:
        """Those of ``variants`` that make sense, weighed."""
        found = []
        for request, changes in variants:
            try:
                found.append(self.weigh(request, changes))
            except WeighbridgeError:
                continue
        return found

    def weighed(self) -> list[Weighed]:
        """Every variant weighed so far."""
        return [each for each in self._weighed.values() if isinstance(each, Weighed)]

    def supports(self, facts: SupportFacts) -> bool:
        """Whether a deployment with these ``facts`` is worth weighing: the rest of it cannot mend its support."""
        return self.evaluator.support(facts).level != "unsupported"

    def would_start(self, request: SizingRequest) -> bool:
        """Whether the bytes of ``request`` let it start, whatever its support."""
        return self._bytes_verdict(request) in FITTING

    def judge(self, deployments: Iterable[Weighed], consumer_gpus_that_fit: int | None = None) -> list[Judged]:
        """Each deployment with the advice that applies to it.

        ``consumer_gpus_that_fit`` is None where the hardware was given.
        """
        judged = []
        for each in deployments:
            facts = self._advice_facts(each, consumer_gpus_that_fit)
            judged.append(Judged(weighed=each, facts=facts, advice=self.evaluator.advice(facts)))
        return judged

    def _weigh(self, request: SizingRequest, changes: Changes) -> Weighed:
        estimate = self.figures(request)
        facts = gather_support(
            estimate.deployment,
            weight_format_is_asked=request.weight_format is not None,
            engine_version=request.engine.version,
        )
        support = self.evaluator.support(facts)
        is_refused = support.level == "unsupported" or self._refused(request, estimate, support)
        return Weighed(
            request=request,
            changes=changes,
            estimate=estimate,
            facts=facts,
            support=support,
            verdict="unsupported" if is_refused else estimate.verdict,
        )

    def _refused(self, request: SizingRequest, estimate: Estimate, support: SupportConclusions) -> bool:
        """Whether a rule refuses it; such a rule reads nothing that follows from how others were weighed."""
        if not self.evaluator.can_refuse:
            return False
        circumstances = Circumstances(
            weight_format_is_asked=request.weight_format is not None,
            hardware_is_given=False,
            consumer_gpus_that_fit=0,
            sixteen_bit_verdict="unknown",
        )
        return self.evaluator.refuses({**flat(gather_advice(estimate, support, circumstances)), **self.metadata})

    def _advice_facts(self, weighed: Weighed, consumer_gpus_that_fit: int | None) -> Mapping[str, FactValue]:
        circumstances = Circumstances(
            weight_format_is_asked=weighed.request.weight_format is not None,
            hardware_is_given=consumer_gpus_that_fit is None,
            consumer_gpus_that_fit=consumer_gpus_that_fit or 0,
            sixteen_bit_verdict=self._sixteen_bit_verdict(weighed),
        )
        return {**flat(gather_advice(weighed.estimate, weighed.support, circumstances)), **self.metadata}

    def _sixteen_bit_verdict(self, weighed: Weighed) -> SixteenBitVerdict:
        deployment = weighed.estimate.deployment
        # Where fewer bits do not fit nobody asks about more.
        if not weighed.fits or not deployment.weight_format.is_quantized:
            return "unknown"
        # What all GPUs together cannot hold need not be weighed.
        if _SIXTEEN_BIT_BYTES * deployment.num_parameters > deployment.gpu_memory_bytes * deployment.split.world_size:
            return "does_not_fit"
        verdict: SixteenBitVerdict = "unknown"
        for name in self.sixteen_bit_formats:
            request = weighed.request.model_copy(update={"weight_format": name})
            facts = weighed.facts._replace(
                weight_format=name, weight_format_kind=_SIXTEEN_BIT, weight_format_is_asked=True
            )
            verdict = self._verdict(request, {"weight_format": name}, facts) or verdict
            if verdict not in ("unknown", "unsupported"):
                break
        return verdict

    def _verdict(self, request: SizingRequest, changes: Changes, facts: SupportFacts) -> Verdict | None:
        """The verdict of ``request``, whose support is concluded from ``facts``; None where it makes no sense."""
        if self.evaluator.can_refuse:
            return next((each.verdict for each in self.weigh_possible([(request, changes)])), None)
        verdict = self._bytes_verdict(request)
        return verdict if verdict is None or self.supports(facts) else "unsupported"

    def _bytes_verdict(self, request: SizingRequest) -> Verdict | None:
        """What the bytes of ``request`` alone say; None where it makes no sense."""
        key = _key(request)
        if (known := self._weighed.get(key)) is not None:
            return known.estimate.verdict if isinstance(known, Weighed) else None
        if key not in self._bytes_verdicts:
            try:
                self._bytes_verdicts[key] = self.verdict(request)
            except WeighbridgeError:
                self._bytes_verdicts[key] = None
        return self._bytes_verdicts[key]


def leaves(changes: Changes) -> list[str]:
    """Names of the fields that hold the values, in their order."""
    return [leaf for name, said in changes.items() for leaf in (leaves(said) if isinstance(said, dict) else [name])]


def _key(request: SizingRequest) -> _Key:
    """What tells variants of one request apart: the fields that alternatives change."""
    return _Key(
        (
            request.weight_format,
            request.kv_cache_dtype,
            request.hardware,
            request.parallelism,
            request.workload,
            request.engine.gpu_memory_utilization,
        )
    )
