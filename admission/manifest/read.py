"""Reading one object: the model servers in it, each as a sizing request, and what could not be read."""

from collections.abc import Iterator, Mapping
from typing import Any

from .annotations import reason_to_bypass
from .errors import UnreadableError
from .kinds.registry import replicas_of
from .objects import Neighbours
from .reading import ModelServer, Reading, Surroundings, Unreadable
from .scene import Scene
from .servers import servers_of, unreadable
from .shapes import mapping, text


def read(object: Mapping[str, Any], surroundings: Surroundings) -> Reading:  # noqa: A002 - Kubernetes' word
    """What serves a model on GPUs in ``object``; nothing at all where it is none of our business.

    Nothing is fetched and nothing raised: whatever is wrong with the object is told of as unreadable.
    """
    found: list[ModelServer | Unreadable] = []
    bypass = None
    try:
        metadata = mapping(mapping(object, "object").get("metadata"), "metadata")
        annotations = mapping(metadata.get("annotations"), "metadata.annotations")
        at_hand = Neighbours(
            objects=surroundings.objects, namespace=text(metadata.get("namespace"), "metadata.namespace")
        )
        bypass = reason_to_bypass(annotations)
        # Those read before a fault are told of too.
        for each in _servers(object, annotations, at_hand, surroundings):
            found.append(each)  # noqa: PERF402 - as above
    except UnreadableError as error:
        found.append(unreadable("", error))
    return Reading(
        servers=[each for each in found if isinstance(each, ModelServer)],
        unreadable=[each for each in found if isinstance(each, Unreadable)],
        bypass=bypass,
    )


def _servers(
    object: Mapping[str, Any],  # noqa: A002 - as above
    annotations: Mapping[str, Any],
    at_hand: Neighbours,
    surroundings: Surroundings,
) -> Iterator[ModelServer | Unreadable]:
    for replica in replicas_of(object, at_hand):
        scene = Scene(replica=replica, annotations=annotations, at_hand=at_hand, surroundings=surroundings)
        yield from servers_of(scene)
