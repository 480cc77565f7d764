"""What is read of an object: the model servers in it, each as a sizing request, and what could not be read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.decision import DecisionCode, Reason


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is known beside the object itself; nothing is fetched."""

    objects: Sequence[Mapping[str, Any]] = ()
    """Objects at hand that it may refer to: ConfigMaps, ServingRuntimes, ResourceClaimTemplates and so on."""
    gpu: str | None = None
    """GPU type where the object names none: of the flavour that was assigned, or of a cluster that has one type."""
    flavors: Mapping[str, str] = field(default_factory=dict)
    """GPU type by the name of a Kueue ResourceFlavor."""
    assigned_flavor: str | None = None


@dataclass(frozen=True, kw_only=True)
class ModelServer:
    """A container, or several that make one replica, that serves a model."""

    container: str
    """Where it stands, such as ``spec.template.spec.containers[vllm]``."""
    request: Mapping[str, Any]
    """The sizing request, without an id."""
    assumed: Sequence[str] = ()
    """What was not said and taken for granted, one sentence each."""


@dataclass(frozen=True, kw_only=True)
class Unreadable:
    """A container that seems to serve a model, and what keeps it from being weighed."""

    container: str
    code: DecisionCode
    reason: Reason
    message: str
    """What is missing or wrong, and what to do about it, in one sentence."""
    field: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All that serves a model in an object; nothing at all where it is none of our business."""

    servers: Sequence[ModelServer] = ()
    unreadable: Sequence[Unreadable] = ()
    bypass: str | None = None
    """Reason given in the annotation that asks to be let in whatever is found."""
