"""From a request to an estimate: resolve it, weigh it, and set the rule of thumb beside."""

from schemas.request import SizingRequest
from schemas.vocabulary import VERDICTS, Verdict

from . import engine
from .catalog.catalog import Catalog
from .checkpoint import NOTHING_READ, Checkpoints
from .deployment import Deployment
from .detailed import load, weigh
from .estimate import Breakdown, Estimate, OutsideBudget, RuleOfThumbFigures, TermEvidence, verdict_of
from .resolve import resolve
from .rule_of_thumb import rule_of_thumb, rule_of_thumb_rows, scaled_bytes
from .sharing import refuses_to_start


def estimate(request: SizingRequest, catalog: Catalog, checkpoints: Checkpoints = NOTHING_READ) -> Estimate:
    """What the deployment that ``request`` describes needs on each GPU.

    ``checkpoints`` are the models it names by path or repository.
    Raises: InvalidRequestError, UnknownModelError, UnknownGpuError, UnsupportedArchitectureError,
    ModelUnreadableError.
    """
    deployment = resolve(request, catalog, checkpoints)
    if deployment.method == "rule-of-thumb" or deployment.model is None:
        return _by_rule_of_thumb(deployment)
    need = weigh(deployment, deployment.model)
    carried = need.load
    return Estimate(
        deployment=deployment,
        per_gpu=carried.per_gpu,
        ranks=need.ranks,
        low_bytes=carried.low_bytes,
        high_bytes=carried.high_bytes,
        outside=carried.outside,
        verdict=_verdict(deployment, carried.per_gpu, carried.high_bytes, carried.outside),
        num_parameters=deployment.num_parameters,
        num_active_parameters=deployment.model.num_active_parameters,
        weights_by_part=carried.worst.parts,
        kv_cache=need.kv_cache,
        rule_of_thumb=_rule_of_thumb(deployment),
        evidence=need.evidence,
    )


def verdict(request: SizingRequest, catalog: Catalog, checkpoints: Checkpoints = NOTHING_READ) -> Verdict:
    """The verdict of the estimate for ``request``, and nothing else of it.

    Raises: as ``estimate``.
    """
    deployment = resolve(request, catalog, checkpoints)
    if deployment.method == "rule-of-thumb" or deployment.model is None:
        return _by_rule_of_thumb(deployment).verdict
    carried = load(deployment, deployment.model)
    return _verdict(deployment, carried.per_gpu, carried.high_bytes, carried.outside)


def _verdict(
    deployment: Deployment, per_gpu: Breakdown, high_bytes: int, outside: OutsideBudget | None = None
) -> Verdict:
    """The worse of what holds inside the engine's budget and outside of it."""
    if refuses_to_start(deployment):
        return "does_not_fit"
    inside = verdict_of(per_gpu.usable_bytes, per_gpu.total_bytes, high_bytes)
    return max(inside, outside.verdict if outside else "fits", key=VERDICTS.index)


def _rule_of_thumb(deployment: Deployment) -> RuleOfThumbFigures:
    return rule_of_thumb(
        deployment.nominal_num_parameters,
        deployment.weight_format,
        deployment.rule_of_thumb_factor,
        deployment.split.world_size,
    )


def _by_rule_of_thumb(deployment: Deployment) -> Estimate:
    """The weights, and what the factor adds to them as room for the kv cache."""
    thumb = _rule_of_thumb(deployment)
    gpus = deployment.split.world_size
    stored, count = deployment.weight_format, deployment.nominal_num_parameters
    weights_bytes = -(-scaled_bytes(count, stored, 1) // gpus)
    high_factor = max(rule_of_thumb_rows().long_context_factor, deployment.rule_of_thumb_factor)
    high = -(-scaled_bytes(count, stored, high_factor) // gpus)
    per_gpu = Breakdown(
        usable_bytes=engine.usable_bytes(deployment.engine, deployment.gpu_memory_bytes),
        weights_bytes=weights_bytes,
        kv_cache_bytes=thumb.per_gpu_bytes - weights_bytes,
        activation_bytes=0,
        overhead_bytes=0,
    )
    return Estimate(
        deployment=deployment,
        per_gpu=per_gpu,
        ranks=(),
        low_bytes=weights_bytes,
        high_bytes=high,
        outside=None,
        verdict=_verdict(deployment, per_gpu, high),
        num_parameters=deployment.num_parameters,
        num_active_parameters=deployment.model.num_active_parameters if deployment.model else None,
        weights_by_part=None,
        kv_cache=None,
        rule_of_thumb=thumb,
        evidence=TermEvidence(
            weights="assumed",
            kv_cache="assumed",
            activation="assumed",
            overhead="assumed",
            usable=deployment.memory_evidence,
        ),
    )
