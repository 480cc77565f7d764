"""Other objects that an object refers to, among those at hand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The objects at hand, as seen from one namespace."""

    objects: Sequence[Mapping[str, Any]]
    namespace: str | None

    def find(self, kind: str, name: str | None) -> Mapping[str, Any] | None:
        """The object of ``kind`` called ``name``; None where it is not at hand.

        A manifest that has no namespace may be meant for any.
        """
        return next((each for each in self.of_kind(kind) if _metadata(each).get("name") == name), None)

    def of_kind(self, kind: str) -> Iterator[Mapping[str, Any]]:
        """The objects of ``kind`` that can be referred to."""
        for each in self.objects:
            if isinstance(each, Mapping) and each.get("kind") == kind:
                namespace = _metadata(each).get("namespace")
                if namespace is None or self.namespace is None or namespace == self.namespace:
                    yield each


def _metadata(value: Mapping[str, Any]) -> Mapping[str, Any]:
    metadata = value.get("metadata")
    return metadata if isinstance(metadata, Mapping) else {}
