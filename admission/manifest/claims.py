"""The GPUs that a container gets by device claims."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from .containers import Container
from .errors import UnreadableError
from .gpu_rows import load_gpu_rows
from .objects import Neighbours
from .resources import Asked
from .shapes import count, listing, mapping, text

_PRODUCT = re.compile(r"""\bproductName\s*==\s*["']([^"']{1,100})["']""")
_PROFILE = re.compile(r"""\bprofile\s*==\s*["']([0-9]{1,2}g\.[0-9]{1,4}gb)["']""")


def asked_by_claims(container: Container, spec: Mapping[str, Any], at_hand: Neighbours) -> Asked:
    """The GPUs among the claims of ``container``, whose pod is ``spec``.

    Raises: UnreadableError where a claim is not at hand, or leaves open what it comes to.
    """
    place = f"{container.place}.resources.claims"
    resources = mapping(container.fields.get("resources"), f"{container.place}.resources")
    found = Asked()
    for number, each in enumerate(listing(resources.get("claims"), place)):
        claim = mapping(each, f"{place}[{number}]")
        for request in _requests(claim.get("name"), spec, at_hand, f"{place}[{number}]"):
            if claim.get("request") in (None, request.get("name")):
                found = _and(found, _asked(request, f"{place}[{number}]"))
    return found


def _requests(name: object, spec: Mapping[str, Any], at_hand: Neighbours, place: str) -> Iterator[Mapping[str, Any]]:
    for number, each in enumerate(listing(spec.get("resourceClaims"), "resourceClaims")):
        claim = mapping(each, f"resourceClaims[{number}]")
        if claim.get("name") != name:
            continue
        template = text(claim.get("resourceClaimTemplateName"), f"resourceClaims[{number}].resourceClaimTemplateName")
        kind, called = ("ResourceClaimTemplate", template) if template else ("ResourceClaim", None)
        called = called or text(claim.get("resourceClaimName"), f"resourceClaims[{number}].resourceClaimName")
        known = at_hand.find(kind, called)
        if known is None:
            raise UnreadableError(
                f"the {kind} {called!r} is not at hand; give it too, or name GPU and count with annotations",
                reason="ReferenceNotAtHand",
                field=place,
            )
        inner = mapping(known.get("spec"), f"{kind}.spec")
        inner = mapping(inner.get("spec"), f"{kind}.spec.spec") if template else inner
        devices = mapping(inner.get("devices"), f"{kind}.devices")
        for position, request in enumerate(listing(devices.get("requests"), f"{kind}.devices.requests")):
            yield mapping(request, f"{kind}.devices.requests[{position}]")


def _asked(request: Mapping[str, Any], place: str) -> Asked:
    if "firstAvailable" in request:
        raise UnreadableError(
            "a device claim leaves open which devices it gets; name GPU and count with annotations",
            reason="ArgumentUnreadable",
            field=place,
        )
    wanted = mapping(request.get("exactly"), f"{place}.exactly") or request
    row = load_gpu_rows().device_class.get(str(wanted.get("deviceClassName")))
    if row is None:
        return Asked()
    if wanted.get("allocationMode", "ExactCount") != "ExactCount":
        raise UnreadableError(
            "a device claim takes all GPUs of a node, however many; name their count with weighbridge.dev/gpu-count",
            reason="ArgumentUnreadable",
            field=place,
        )
    expressions = list(_expressions(wanted, place))
    products = tuple(match[1] for text in expressions for match in _PRODUCT.finditer(text))
    profiles = [match[1] for text in expressions for match in _PROFILE.finditer(text)]
    if row.is_mig and not profiles:
        raise UnreadableError(
            "a device claim names no MIG profile; name it with weighbridge.dev/mig",
            reason="ArgumentUnreadable",
            field=place,
        )
    return Asked(
        count=count(wanted.get("count"), f"{place}.count"), mig=profiles[0] if row.is_mig else None, products=products
    )


def _expressions(wanted: Mapping[str, Any], place: str) -> Iterator[str]:
    """The selectors that say what has to be; those that say what may be instead are left out."""
    for number, each in enumerate(listing(wanted.get("selectors"), f"{place}.selectors")):
        selector = mapping(each, f"{place}.selectors[{number}]")
        cel = mapping(selector.get("cel"), f"{place}.selectors[{number}].cel")
        expression = text(cel.get("expression"), f"{place}.selectors[{number}].cel.expression") or ""
        if "||" not in expression and "!" not in expression and "?" not in expression:
            yield expression


def _and(first: Asked, second: Asked) -> Asked:
    if not first.count or not second.count:
        return first if first.count else second
    return Asked(
        count=first.count + second.count,
        mig=first.mig or second.mig,
        products=tuple(dict.fromkeys((*first.products, *second.products))),
    )
