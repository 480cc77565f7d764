"""Files of arguments that a container mounts from a ConfigMap."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import yaml

from schemas.bounds import refuse_beyond_bounds
from schemas.errors import InvalidRequestError
from schemas.yaml_loader import LOADER

from .bounds import MAX_CHARACTERS
from .containers import Container
from .errors import UnreadableError
from .flags import as_arguments
from .objects import Neighbours
from .shapes import listing, mapping, text


def arguments_in(path: str, container: Container, spec: Mapping[str, Any], at_hand: Neighbours) -> Sequence[str]:
    """The arguments in the YAML file at ``path`` of ``container``, whose pod is ``spec``.

    Raises: UnreadableError where the file is not at hand, or no YAML.
    """
    folder = PurePosixPath(text(container.fields.get("workingDir"), f"{container.place}.workingDir") or "/")
    content = _content(folder / path, container, spec, at_hand)
    if content is None:
        raise UnreadableError(
            f"the arguments in {path} are not at hand; give the ConfigMap it comes from too",
            reason="ReferenceNotAtHand",
        )
    return as_arguments(parse_fields(content, path))


def parse_fields(content: str, called: str) -> Mapping[str, Any]:
    """The fields of ``content``, YAML or JSON that is ``called`` so.

    Raises: UnreadableError.
    """
    if len(content) > MAX_CHARACTERS:
        raise UnreadableError(
            f"{called} has more than {MAX_CHARACTERS} characters", reason="ArgumentUnreadable", field=called
        )
    try:
        value = yaml.load(content, Loader=LOADER)  # noqa: S506 - safe loaders
        refuse_beyond_bounds(value)
    except (yaml.YAMLError, RecursionError, ValueError, InvalidRequestError):
        value = content
    if value is not None and not isinstance(value, Mapping):
        raise UnreadableError(f"{called} is not YAML with fields", reason="ArgumentUnreadable", field=called)
    return mapping(value, called)


def _content(path: PurePosixPath, container: Container, spec: Mapping[str, Any], at_hand: Neighbours) -> str | None:
    place = f"{container.place}.volumeMounts"
    for number, each in enumerate(listing(container.fields.get("volumeMounts"), place)):
        mount = mapping(each, f"{place}[{number}]")
        at = PurePosixPath(text(mount.get("mountPath"), f"{place}[{number}].mountPath") or "/")
        sub_path = text(mount.get("subPath"), f"{place}[{number}].subPath")
        if sub_path and path == at:
            inside = sub_path
        elif not sub_path and path.is_relative_to(at) and path != at:
            inside = str(path.relative_to(at))
        else:
            continue
        found = _of_volume(mount.get("name"), inside, spec, at_hand)
        if found is not None:
            return found
    return None


def _of_volume(name: object, inside: str, spec: Mapping[str, Any], at_hand: Neighbours) -> str | None:
    """The text of the file ``inside`` a volume that is a ConfigMap at hand."""
    for number, each in enumerate(listing(spec.get("volumes"), "volumes")):
        volume = mapping(each, f"volumes[{number}]")
        if volume.get("name") != name or "configMap" not in volume:
            continue
        source = mapping(volume["configMap"], f"volumes[{number}].configMap")
        data = (at_hand.find("ConfigMap", source.get("name")) or {}).get("data")
        key = next(
            (
                item.get("key")
                for item in listing(source.get("items"), f"volumes[{number}].configMap.items")
                if isinstance(item, Mapping) and item.get("path") == inside
            ),
            inside,
        )
        content = data.get(key) if isinstance(data, Mapping) else None
        if isinstance(content, str):
            return content
    return None
