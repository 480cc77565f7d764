"""AdmissionReview v1: what an API server asks, and what it is told."""

from textwrap import shorten
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from schemas.closed import Closed
from schemas.decision import ContainerDecision, Decision, DecisionCode
from schemas.errors import InvalidRequestError
from schemas.parse import parse

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"

WARNING_CHARACTERS = 120
"""Longer ones may be cut on their way to who deploys."""
MAX_WARNINGS = 8

_HTTP_STATUS: dict[DecisionCode, tuple[int, str]] = {
    "unavailable": (503, "ServiceUnavailable"),
    "invalid": (422, "Invalid"),
}
"""Code and reason of a refusal, as Kubernetes has them; others are forbidden."""
_FORBIDDEN = (403, "Forbidden")


class ReviewRequest(BaseModel):
    """What somebody wants to do to an object, as far as it matters here."""

    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel, extra="ignore")

    uid: Annotated[str, Field(min_length=1, max_length=256)]
    operation: Literal["CREATE", "UPDATE", "DELETE", "CONNECT"]
    object: dict[str, Any] | None = None
    """Null where it is deleted."""
    old_object: dict[str, Any] | None = None
    """Null where it is created."""
    sub_resource: str | None = None


class Review(BaseModel):
    """A review as it comes in."""

    model_config = ConfigDict(frozen=True, strict=True, alias_generator=to_camel, extra="ignore")

    api_version: Literal["admission.k8s.io/v1"]
    kind: Literal["AdmissionReview"]
    request: ReviewRequest


class ReviewStatus(Closed):
    """Why it is refused, or what was found where it is not; the API server tells of refusals alone."""

    status: Literal["Success", "Failure"]
    code: int
    reason: str | None = None
    message: str


class ReviewResponse(Closed):
    """The answer to a review's request."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    uid: str
    """Copied from the request."""
    allowed: bool
    status: ReviewStatus | None = None
    warnings: Annotated[list[str], Field(max_length=MAX_WARNINGS)] | None = None
    audit_annotations: dict[str, str] | None = None


class ReviewAnswer(Closed):
    """A review as it goes out."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    api_version: Literal["admission.k8s.io/v1"] = "admission.k8s.io/v1"
    kind: Literal["AdmissionReview"] = "AdmissionReview"
    response: ReviewResponse


class WrongKindError(InvalidRequestError):
    """It is JSON, and no review of the version that is spoken here."""


def parse_review(value: object) -> Review:
    """The review that ``value``, decoded JSON, spells.

    Raises: WrongKindError; InvalidRequestError.
    """
    told = (value.get("apiVersion"), value.get("kind")) if isinstance(value, dict) else (None, None)
    if told != (API_VERSION, KIND):
        raise WrongKindError(
            f"expected {KIND} of {API_VERSION}", field="kind", hint="list v1 in admissionReviewVersions"
        )
    return parse(value, Review, "review")


def let_in(uid: str) -> ReviewAnswer:
    """The answer to what nobody needs to decide on."""
    return ReviewAnswer(response=ReviewResponse(uid=uid, allowed=True))


def answer_with(uid: str, decision: Decision) -> ReviewAnswer:
    """The answer that tells of ``decision``."""
    return ReviewAnswer(
        response=ReviewResponse(
            uid=uid,
            allowed=decision.allowed,
            status=_status(decision),
            warnings=_warnings(decision) or None,
            audit_annotations=_annotations(decision),
        )
    )


def _status(decision: Decision) -> ReviewStatus:
    message = f"weighbridge: {decision.message} ({decision.reason})"
    if decision.allowed:
        return ReviewStatus(status="Success", code=200, message=message)
    code, reason = _HTTP_STATUS.get(decision.code, _FORBIDDEN)
    return ReviewStatus(status="Failure", code=code, reason=reason, message=message)


def _warnings(decision: Decision) -> list[str]:
    """What who deploys is told although it is let in; nothing where that was asked for with a reason."""
    if not decision.allowed or decision.bypass is not None or decision.mode == "off":
        return []
    told = [line for found in decision.containers for line in _warnings_of(found)]
    return told[:MAX_WARNINGS]


def _warnings_of(found: ContainerDecision) -> list[str]:
    if found.code in ("fit", "not_applicable"):
        return []
    first, *others = found.message.split("; ")
    lines = (f"weighbridge {found.reason}: {first}", *(f"weighbridge: {each}" for each in others))
    return [shorten(line, WARNING_CHARACTERS, placeholder="...") for line in lines]


def _annotations(decision: Decision) -> dict[str, str]:
    """For the audit log; the API server puts the webhook's name before each key."""
    told = {
        "decision-id": decision.decision_id,
        "code": decision.code,
        "reason": decision.reason,
        "mode": decision.mode,
        "bypass": decision.bypass,
    }
    return {name: value for name, value in told.items() if value is not None}
