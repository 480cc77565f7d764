"""The environment variables of a container, and text in which they are put in place."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from .bounds import MAX_CHARACTERS
from .containers import Container
from .errors import UnreadableError
from .objects import Neighbours
from .shapes import listing, mapping, spelt, text

HIDDEN = "\ufffd"
"""Stands in a text for what a variable or a command would put there and is not at hand."""

Environment = Mapping[str, str | None]
"""Values by name; None where there is a value that is not at hand, such as a secret."""

_KUBERNETES = re.compile(r"\$\$|\$\(([^()\s]*)\)")
_SHELL = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-([^{}]*))?\}|\{[^{}]*\}|[0-9@*#?!$-])")


def environment_of(container: Container, variables: Mapping[str, str], at_hand: Neighbours) -> dict[str, str | None]:
    """What the processes of ``container`` see; ``variables`` are those that a controller sets.

    Raises: UnreadableError.
    """
    found: dict[str, str | None] = dict(variables)
    place = f"{container.place}.envFrom"
    for number, source in enumerate(listing(container.fields.get("envFrom"), place)):
        entry = mapping(source, f"{place}[{number}]")
        prefix = text(entry.get("prefix"), f"{place}[{number}].prefix") or ""
        reference = mapping(entry.get("configMapRef"), f"{place}[{number}].configMapRef")
        data = _data(at_hand.find("ConfigMap", reference.get("name"))) if reference else {}
        found.update({prefix + name: value for name, value in data.items()})
    place = f"{container.place}.env"
    for number, each in enumerate(listing(container.fields.get("env"), place)):
        entry = mapping(each, f"{place}[{number}]")
        name = text(entry.get("name"), f"{place}[{number}].name")
        if name is None:
            continue
        if "valueFrom" in entry:
            found[name] = _referred(mapping(entry["valueFrom"], f"{place}[{number}].valueFrom"), at_hand)
        else:
            value = spelt(entry.get("value"), f"{place}[{number}].value") or ""
            found[name] = expand(value, found)
    return found


def _referred(source: Mapping[str, Any], at_hand: Neighbours) -> str | None:
    """The value that a key of a ConfigMap has; secrets and what only a running pod knows are never read."""
    reference = source.get("configMapKeyRef")
    if not isinstance(reference, Mapping):
        return None
    return _data(at_hand.find("ConfigMap", reference.get("name"))).get(str(reference.get("key")))


def _data(config_map: Mapping[str, Any] | None) -> dict[str, str]:
    data = (config_map or {}).get("data")
    return {name: value for name, value in data.items() if isinstance(value, str)} if isinstance(data, Mapping) else {}


def _bounded(pattern: re.Pattern[str], put: Callable[[re.Match[str]], str], value: str) -> str:
    """``value`` with what ``put`` gives for each match of ``pattern``.

    Raises: UnreadableError where that is too long.
    """
    if "$" not in value:
        return value
    room = MAX_CHARACTERS

    def put_within(match: re.Match[str]) -> str:
        nonlocal room
        placed = put(match)
        room -= len(placed)
        if room < 0:
            raise UnreadableError("variables hold each other, and become too long", reason="ArgumentUnreadable")
        return placed

    return pattern.sub(put_within, value)


def expand(value: str, environment: Environment) -> str:
    """``value`` with each ``$(NAME)`` put in place as Kubernetes does it; names that are not set stay as they are.

    >>> expand("--model $(MODEL) $(OTHER) $$(MODEL)", {"MODEL": "Qwen/Qwen3-8B"})
    '--model Qwen/Qwen3-8B $(OTHER) $(MODEL)'
    """

    def put(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        if match[1] not in environment:
            return match[0]
        set_to = environment[match[1]]
        return HIDDEN if set_to is None else set_to

    return _bounded(_KUBERNETES, put, value)


def expand_in_shell(value: str, environment: Environment) -> str:
    """``value`` with ``$NAME``, ``${NAME}`` and ``${NAME:-default}`` put in place; a shell takes unset for empty.

    >>> expand_in_shell("${MODEL:-facebook/opt-125m} -tp $TP", {"TP": "2"})
    'facebook/opt-125m -tp 2'
    """

    def put(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name is None:
            return HIDDEN
        set_to = environment.get(name, "")
        return HIDDEN if set_to is None else set_to or match[3] or ""

    return _bounded(_SHELL, put, value)
