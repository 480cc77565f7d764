"""What every kind of object is read as: pods that together make one replica of a model server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .shapes import mapping


@dataclass(frozen=True, kw_only=True)
class PodTemplate:
    """Pods that are alike."""

    place: str
    """Path of the pod's spec in the object, such as ``spec.template.spec``."""
    spec: Mapping[str, Any]
    annotations: Mapping[str, Any] = field(default_factory=dict)
    pods: int = 1
    """How many of them a replica has."""
    is_place_of_container: bool = False
    """Whether ``place`` is the container's own: kinds that say what is served without saying a pod."""


@dataclass(frozen=True, kw_only=True)
class Replica:
    """Pods that serve one model together."""

    leader: PodTemplate
    """The pods that the servers are started in."""
    followers: Sequence[PodTemplate] = ()
    """Pods that lend their GPUs to the leader's server, whether or not they start one themselves."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that the kind's controller sets in every container."""
    model_names: Sequence[str] = ()
    """What the object calls the model whose files it mounts, the surest first."""
    flavor: str | None = None
    """Kueue ResourceFlavor that was assigned."""
    assumed: Sequence[str] = ()
    """What the kind leaves to its controller, one sentence each."""
    adapts_length: bool = False
    """Whether the controller lowers the longest sequence to what fits."""


def pod_template(value: Mapping[str, Any], place: str, *, pods: int = 1) -> PodTemplate:
    """The pods of a template: ``value`` has ``metadata`` and ``spec``."""
    metadata = mapping(value.get("metadata"), f"{place}.metadata")
    return PodTemplate(
        place=f"{place}.spec",
        spec=mapping(value.get("spec"), f"{place}.spec"),
        annotations=mapping(metadata.get("annotations"), f"{place}.metadata.annotations"),
        pods=pods,
    )
