"""The name of a decision, which the same question always has."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from .context import Context


def decision_id(object: Mapping[str, Any], context: Context) -> str:  # noqa: A002 - Kubernetes' word
    """The id of what is decided of ``object``: a digest in hexadecimal.

    An object that has a uid and a generation is told by them and needs not be written out: the API server raises the
    generation with every change of what is asked for.  One that has none yet is told by what it says.
    """
    identity = context.identity
    is_told = identity.uid is not None and identity.generation is not None
    what = None if is_told else _canonical(object)
    versions = context.versions
    told = [identity.uid, identity.generation, identity.flavor, versions.rules, versions.catalog, what]
    return sha256(json.dumps(told).encode()).hexdigest()


_NOT_ASKED_FOR = {"managedFields", "creationTimestamp", "resourceVersion"}
"""Metadata that differs each time the same is asked for."""


def _canonical(object: Mapping[str, Any]) -> str:  # noqa: A002 - as above
    """One text for all ways to ask for the same object."""
    metadata = object.get("metadata")
    told = {name: said for name, said in object.items() if name != "status"}
    if isinstance(metadata, Mapping):
        told["metadata"] = {name: said for name, said in metadata.items() if name not in _NOT_ASKED_FOR}
    return json.dumps(told, sort_keys=True, separators=(",", ":"), default=repr)
