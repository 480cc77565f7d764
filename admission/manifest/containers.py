"""The containers of a pod: all of them, since a server may hide in any."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .replica import PodTemplate
from .shapes import listing, mapping, text

_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container, and where it stands."""

    place: str
    name: str
    fields: Mapping[str, Any]


def containers_of(template: PodTemplate) -> Iterator[Container]:
    """Every container of ``template``, sidecars and those that are added to debug included.

    Raises: UnreadableError.
    """
    for kind in _LISTS:
        place = f"{template.place}.{kind}"
        for number, each in enumerate(listing(template.spec.get(kind), place)):
            fields = mapping(each, f"{place}[{number}]")
            name = text(fields.get("name"), f"{place}[{number}].name")
            stands = template.place if template.is_place_of_container else f"{place}[{name or number}]"
            yield Container(place=stands, name=name or "", fields=fields)
