"""The type of GPU that a pod runs on."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sizing.catalog.gpus import load_gpus

from .errors import UnreadableError
from .gpu_rows import LabelRow, load_gpu_rows
from .shapes import listing, mapping, text

_MOST = 8
"""Types that a pod may be let run on and is weighed on each."""


@dataclass(frozen=True, kw_only=True)
class GpuType:
    """A type that the catalogue has."""

    name: str
    mig: str | None = None
    is_shared: bool = False


def types_called(name: str, place: str) -> list[GpuType]:
    """Every type that ``name`` could mean, as a label or a person writes it.

    Raises: UnreadableError where the catalogue has none.
    """
    rows = load_gpu_rows()
    bare = name.removesuffix(rows.suffixes.shared)
    match = re.fullmatch(rows.suffixes.mig_pattern, bare)
    product, mig = (match[1], match[2]) if match else (bare, None)
    meant = load_gpus().meanings(product)
    if not meant:
        nearest = ", ".join(load_gpus().nearest(product))
        raise UnreadableError(
            f"the catalogue has no GPU called {product!r:.80}; nearest names: {nearest}",
            reason="UnknownGpu",
            field=place,
        )
    is_shared = bare != name
    if len(meant) == 1:
        return [GpuType(name=product, mig=mig, is_shared=is_shared)]
    return [GpuType(name=gpu.name, mig=mig, is_shared=is_shared) for gpu in meant]


def types_of_nodes(spec: Mapping[str, Any], place: str) -> list[GpuType]:
    """The types of the nodes that a pod with ``spec`` may run on; nothing where that says none.

    Raises: UnreadableError.
    """
    selector = mapping(spec.get("nodeSelector"), f"{place}.nodeSelector")
    found = _in_labels({name: [value] for name, value in selector.items()}, f"{place}.nodeSelector")
    terms = _required_terms(spec, place)
    if not found and terms:
        by_term = [_in_labels(term, f"{place}.affinity") for term in terms]
        # Any one term is enough, so that one which names no type lets the pod run on every type.
        found = [each for types in by_term for each in types] if all(by_term) else []
    return _bounded(found, place)


def _bounded(found: Iterable[GpuType], place: str) -> list[GpuType]:
    distinct = list(dict.fromkeys(found))
    if len(distinct) > _MOST:
        raise UnreadableError(
            f"{len(distinct)} types of GPU are allowed, of which at most {_MOST} are weighed; name one with "
            "weighbridge.dev/gpu",
            reason="GpuTypeNotNamed",
            field=place,
        )
    return distinct


def _required_terms(spec: Mapping[str, Any], place: str) -> list[dict[str, Sequence[str]]]:
    """The labels each term of a required node affinity asks for, with the values it allows."""
    affinity = mapping(spec.get("affinity"), f"{place}.affinity")
    of_nodes = mapping(affinity.get("nodeAffinity"), f"{place}.affinity.nodeAffinity")
    name = "requiredDuringSchedulingIgnoredDuringExecution"
    required = mapping(of_nodes.get(name), f"{place}.affinity.nodeAffinity.{name}")
    terms: list[dict[str, Sequence[str]]] = []
    for each in listing(required.get("nodeSelectorTerms"), f"{place}.affinity.nodeAffinity.{name}.nodeSelectorTerms"):
        term = mapping(each, f"{place}.affinity.nodeAffinity.{name}.nodeSelectorTerms")
        labels: dict[str, Sequence[str]] = {}
        for one in listing(term.get("matchExpressions"), f"{place}.affinity.matchExpressions"):
            expression = mapping(one, f"{place}.affinity.matchExpressions")
            key = text(expression.get("key"), f"{place}.affinity.matchExpressions.key")
            if key and expression.get("operator") == "In":
                labels[key] = listing(expression.get("values"), f"{place}.affinity.matchExpressions.values")
        terms.append(labels)
    return terms


def _in_labels(labels: Mapping[str, Sequence[Any]], place: str) -> list[GpuType]:
    rows = load_gpu_rows()
    mig = next((str(labels[row.name][0]) for row in rows.partition_labels if len(labels.get(row.name, ())) == 1), None)
    for row in rows.labels:
        if row.name in labels:
            by_value = [_of_label(row, value, f"{place}[{row.name}]") for value in labels[row.name]]
            # A value that is not known may be any type.
            if by_value and all(by_value):
                types = [each for of_one in by_value for each in of_one]
                return [GpuType(name=each.name, mig=each.mig or mig, is_shared=each.is_shared) for each in types]
    return []


def _of_label(row: LabelRow, value: object, place: str) -> list[GpuType]:
    name = text(value, place)
    if name is None:
        return []
    if row.is_machine:
        machine = load_gpu_rows().machine.get(name)
        return [GpuType(name=machine.gpu)] if machine else []
    if name in row.values:
        return [GpuType(name=each) for each in row.values[name]]
    if row.is_convention and not load_gpus().meanings(name):
        return []
    return types_called(name, place)
