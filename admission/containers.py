"""What is decided of each container that serves, or seems to serve, a model."""

import json
from collections.abc import Mapping
from typing import Any

from schemas.decision import ContainerDecision, DecisionCode, Reason, SmallestChange
from schemas.errors import UnavailableError
from schemas.recommendation import ErrorAnswer, PerGpu, Recommendation
from schemas.vocabulary import ErrorCode, Verdict

from .errors import DeadlineExceededError
from .manifest.reading import ModelServer, Unreadable
from .smallest_change import smallest_change

_GIB = 2**30

_OF_ERRORS: Mapping[ErrorCode, tuple[DecisionCode, Reason]] = {
    "invalid_request": ("invalid", "InvalidRequest"),
    "unknown_gpu": ("invalid", "UnknownGpu"),
    "unknown_model": ("unknown_model", "UnknownModel"),
    "unsupported_architecture": ("unknown_model", "UnknownModel"),
    "model_unreadable": ("unknown_model", "UnknownModel"),
    "queue_full": ("unavailable", "ServiceUnavailable"),
    "unavailable": ("unavailable", "ServiceUnavailable"),
    "internal": ("unavailable", "ServiceUnavailable"),
}


_NOT_READ_HERE = ("model.repo", "model.path")
"""Where a model may be that whoever weighs is not set up to read: that is no fault of the object."""


def conclude_container(server: ModelServer, answer: Recommendation | ErrorAnswer) -> ContainerDecision:
    """What ``answer`` means for the container that ``server`` was read from."""
    if isinstance(answer, ErrorAnswer):
        return _of_error(server, answer)
    code, reason, change = _verdict(answer)
    return ContainerDecision(
        container=server.container,
        code=code,
        reason=reason,
        message=_message(answer, reason, change),
        request=dict(server.request),
        assumed=list(server.assumed),
        recommendation_id=answer.request_id,
        verdict=answer.verdict,
        per_gpu=answer.per_gpu,
        change=change,
        rules=list(dict.fromkeys(finding.rule for finding in answer.findings)),
    )


def unavailable(
    container: str, message: str, *, reason: Reason = "ServiceUnavailable", request: Mapping[str, Any] | None = None
) -> ContainerDecision:
    """A container that nobody could weigh, or not in time."""
    return ContainerDecision(
        container=container,
        code="unavailable",
        reason=reason,
        message=message,
        request=None if request is None else dict(request),
    )


def not_weighed(server: ModelServer, error: UnavailableError) -> ContainerDecision:
    """A container of which the weighing ended with ``error``."""
    reason: Reason = "DeadlineExceeded" if isinstance(error, DeadlineExceededError) else "ServiceUnavailable"
    return unavailable(server.container, error.message, reason=reason, request=server.request)


def not_read(unreadable: Unreadable) -> ContainerDecision:
    """A container that could not be read."""
    return ContainerDecision(
        container=unreadable.container,
        code=unreadable.code,
        reason=unreadable.reason,
        message=unreadable.message,
        field=unreadable.field,
    )


def _of_error(server: ModelServer, answer: ErrorAnswer) -> ContainerDecision:
    code, reason = _OF_ERRORS[answer.error.code]
    if code == "invalid" and answer.error.field in _NOT_READ_HERE:
        code, reason = "unknown_model", "UnknownModel"
    hint = f": {answer.error.hint}" if answer.error.hint else ""
    return ContainerDecision(
        container=server.container,
        code=code,
        reason=reason,
        message=f"{answer.error.message}{hint}",
        field=answer.error.field,
        request=dict(server.request),
        assumed=list(server.assumed),
        recommendation_id=answer.request_id,
    )


def _verdict(answer: Recommendation) -> tuple[DecisionCode, Reason, SmallestChange | None]:
    if answer.verdict == "fits":
        return "fit", "Fits", None
    if answer.verdict == "tight":
        return "fit", "FitsTightly", None
    if change := smallest_change(answer.alternatives):
        return "fit_with_changes", "FitsWithChanges", change
    return "no_fit", _WITHOUT_ALTERNATIVE[answer.verdict], None


_WITHOUT_ALTERNATIVE: Mapping[Verdict, Reason] = {"does_not_fit": "MemoryDoesNotFit", "unsupported": "NotSupported"}


def _message(answer: Recommendation, reason: Reason, change: SmallestChange | None) -> str:
    where = f"{answer.deployment.gpu_count} x {answer.deployment.gpu}"
    called = answer.model.name or "the model"
    found = _refusal(answer) if answer.verdict == "unsupported" else _figures(answer)
    if change is not None:
        return f"{called} on {where} {found}; it would start with {_spelt(change)}"
    if reason == "FitsTightly":
        return f"{called} on {where} {found}, with little to spare"
    miss = answer.nearest_miss
    if miss is None or answer.verdict == "unsupported":
        return f"{called} on {where} {found}"
    return f"{called} on {where} {found}; what comes nearest still lacks {_gib(-miss.per_gpu.headroom_bytes)}"


def _figures(answer: Recommendation) -> str:
    outside = answer.outside_budget
    if outside is not None and answer.verdict == "does_not_fit" and answer.per_gpu.headroom_bytes >= 0:
        return (
            f"{_need(answer.per_gpu)}, but at least {_gib(outside.low_bytes)} beside the engine's budget, "
            f"which leaves {_gib(outside.room_bytes)}"
        )
    return _need(answer.per_gpu)


def _need(per_gpu: PerGpu) -> str:
    return f"needs {_gib(per_gpu.total_bytes)} of {_gib(per_gpu.usable_bytes)} usable per GPU"


def _refusal(answer: Recommendation) -> str:
    refusal = next((finding.message for finding in answer.findings if finding.level == "error"), None)
    return f"is not supported: {refusal}" if refusal else "is not supported"


def _spelt(change: SmallestChange) -> str:
    """The change in the engine's words, and in ours where it has none: formats and hardware are no arguments."""
    hardware = change.changes.get("hardware")
    asked = hardware if isinstance(hardware, dict) else {}
    said = list(change.arguments)
    if "weight_format" in change.changes:
        said.append(f"weights in {change.changes['weight_format']}")
    if "gpu" in asked:
        said.append(f"on {asked.get('count') or 1} x {asked['gpu']}")
    elif "count" in asked:
        said.append(f"on {asked['count']} GPUs")
    return " ".join(said) or json.dumps(change.changes)


def _gib(size: int) -> str:
    return f"{size / _GIB:.2f} GiB"
