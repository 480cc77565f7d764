"""The format in which an engine serves the weights that its arguments name."""

from typing import Any

from schemas.errors import WeighbridgeError
from sizing.catalog.models import catalog_model
from sizing.model import Model


def known_model(reference: dict[str, Any]) -> Model | None:
    """The model of the catalogue that a request refers to; None where it is none of it."""
    name = reference.get("name")
    try:
        return catalog_model(name) if name else None
    except WeighbridgeError:
        return None


def weight_format(quantization: str | None, dtype: str | None, model: Model | None) -> str | None:
    """The format served; None where it is the published one.

    A checkpoint that is published in a format of its own is served in that: engines quantize only plain ones.
    What a repository has is not known here, so that there only a method that quantizes changes its format.
    """
    if model is not None and model.published is not None:
        return None
    if quantization not in (None, "published"):
        return quantization
    return dtype if quantization is None and model is not None and dtype != "auto" else None
