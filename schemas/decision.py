"""What a cluster is told of an object that somebody wants to create: whether to let it in, and why."""

from typing import Literal

from pydantic import Field, JsonValue

from .closed import Closed
from .recommendation import PerGpu, Versions
from .vocabulary import Verdict

DecisionCode = Literal["fit", "fit_with_changes", "no_fit", "unknown_model", "not_applicable", "invalid", "unavailable"]
"""``fit_with_changes``: not as it is, but with the change that is named.  ``not_applicable``: nothing in it serves a
model on a GPU.  ``unavailable``: nobody could weigh it in time."""

Reason = Literal[
    "Fits",
    "FitsTightly",
    "FitsWithChanges",
    "MemoryDoesNotFit",
    "NotSupported",
    "NoModelServer",
    "NoGpuRequested",
    "ModelNotNamed",
    "ModelIsPath",
    "UnknownModel",
    "GpuTypeNotNamed",
    "UnknownGpu",
    "ArgumentUnreadable",
    "ReferenceNotAtHand",
    "KindNotSupported",
    "InvalidObject",
    "InvalidRequest",
    "ServiceUnavailable",
    "DeadlineExceeded",
    "Bypassed",
]
"""Stable tokens, spelt as Kubernetes spells reasons."""

Mode = Literal["off", "warn", "enforce"]
"""What becomes of a deployment that does not fit: nothing, a warning, a refusal."""


class SmallestChange(Closed):
    """The change, among those that were weighed and fit, that asks the least of who deploys."""

    changes: dict[str, JsonValue]
    """Fields of the request to replace."""
    arguments: list[str]
    """The engine's arguments that change with them, such as ``--max-model-len 40192``."""
    why: str
    verdict: Verdict
    per_gpu: PerGpu


class ContainerDecision(Closed):
    """What was found of one container that serves, or seems to serve, a model."""

    container: str
    """Where it stands, such as ``spec.template.spec.containers[vllm]``."""
    code: DecisionCode
    reason: Reason
    message: str
    """One sentence with the figures."""
    field: str | None = None
    """What is at fault in the object, where something is."""
    request: dict[str, JsonValue] | None = None
    """The sizing request that was made of it."""
    assumed: list[str] = Field(default_factory=list)
    """What the object leaves open and was taken for granted, one sentence each."""
    recommendation_id: str | None = None
    """Request id of the recommendation."""
    verdict: Verdict | None = None
    per_gpu: PerGpu | None = None
    """Need and usable memory of the worst rank."""
    change: SmallestChange | None = None
    rules: list[str] = Field(default_factory=list)
    """Ids of the rules that fired."""


class Decision(Closed):
    """The answer to one object."""

    decision_id: str
    """The same for the same object, generation, flavour, rules and catalogue."""
    code: DecisionCode
    """The worst of the containers'."""
    reason: Reason
    message: str
    containers: list[ContainerDecision]
    mode: Mode
    allowed: bool
    """By mode, bypass and failure policy."""
    bypass: str | None = None
    """The reason that the object gives for being let in whatever is found."""
    versions: Versions | None = None
    """What it was computed with; null where nothing was weighed."""
