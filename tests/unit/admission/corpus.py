"""Manifests written from the public documentation of their kinds, and what is to be read of each."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from admission.manifest.reading import Surroundings

FOLDER = Path(__file__).parents[2] / "data" / "manifests"
EXPECTED: Mapping[str, Mapping[str, Any]] = yaml.safe_load((FOLDER / "expected.yaml").read_text())
NAMES = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "expected.yaml")


@cache
def manifest(name: str) -> tuple[Mapping[str, Any], Surroundings]:
    """The object of the file ``name``, and what is known beside it: the documents that follow."""
    first, *others = yaml.safe_load_all((FOLDER / name).read_text())
    known = EXPECTED[name]
    surroundings = Surroundings(objects=others, gpu=known.get("gpu_of_cluster"), flavors=known.get("flavors", {}))
    return first, surroundings
