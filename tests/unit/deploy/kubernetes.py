"""The objects that deploy/kubernetes makes on a cluster, read as kustomize reads them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
FOLDERS = sorted(path.parent.name for path in KUBERNETES.glob("*/kustomization.yaml"))

Object = dict[str, Any]


def kustomization(folder: str) -> Object:
    """What a folder says that it is made of."""
    read: Object = yaml.safe_load((KUBERNETES / folder / "kustomization.yaml").read_text(encoding="utf-8"))
    return read


def resources(folder: str) -> Iterator[Path]:
    """The files of a folder and of those that it builds on."""
    for name in kustomization(folder)["resources"]:
        path = (KUBERNETES / folder / name).resolve()
        if path.is_dir():
            yield from resources(path.name)
        else:
            yield path


@cache
def objects(*folders: str) -> tuple[Object, ...]:
    """All objects of some folders, by default of all."""
    files = dict.fromkeys(path for folder in folders or FOLDERS for path in resources(folder))
    return tuple(each for path in files for each in yaml.safe_load_all(path.read_text(encoding="utf-8")))


def of_kind(kind: str) -> list[Object]:
    """All objects of a kind."""
    return [each for each in objects() if each["kind"] == kind]


def called(kind: str, name: str) -> Object:
    """The object of a kind that has that name."""
    (found,) = (each for each in of_kind(kind) if each["metadata"]["name"] == name)
    return found


def pod_of(deployment: Object) -> Object:
    """The pods of a Deployment."""
    spec: Object = deployment["spec"]["template"]["spec"]
    return spec
