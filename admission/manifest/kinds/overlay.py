"""Objects laid over others, as KServe lays a service over the runtime or the configuration that it names."""

from collections.abc import Mapping
from typing import Any


def overlay(base: Any, top: Any) -> Any:  # noqa: ANN401 - values of an object, of any type
    """``top`` over ``base``: objects are merged field by field, lists of named things by name, all else is replaced.

    >>> overlay({"env": [{"name": "A", "value": "1"}]}, {"env": [{"name": "A", "value": "2"}, {"name": "B"}]})
    {'env': [{'name': 'A', 'value': '2'}, {'name': 'B'}]}
    """
    if isinstance(base, Mapping) and isinstance(top, Mapping):
        return {**base, **{name: overlay(base.get(name), value) for name, value in top.items()}}
    if _are_named(base) and _are_named(top):
        merged = {each["name"]: each for each in base}
        merged.update({each["name"]: overlay(merged.get(each["name"]), each) for each in top})
        return list(merged.values())
    return base if top is None else top


def _are_named(value: object) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, Mapping) and isinstance(each.get("name"), str) for each in value
    )
