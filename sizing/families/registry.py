"""Which function reads which architecture."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from schemas.errors import ModelUnreadableError, UnsupportedArchitectureError
from schemas.request import MAX_NUM_PARAMETERS

from ..config import Config
from ..model import Model

Reader = Callable[[Config], Model]

_READERS: dict[str, Reader] = {}


def family(*architectures: str) -> Callable[[Reader], Reader]:
    """Register the decorated function as the reader of these ``architectures``."""

    def register(reader: Reader) -> Reader:
        for architecture in architectures:
            _READERS[architecture] = reader
        return reader

    return register


def covered_architectures() -> tuple[str, ...]:
    """Architectures that some entry reads."""
    return tuple(sorted(_READERS))


def read_model(fields: Mapping[str, Any]) -> Model:
    """The model that a config.json describes.

    Raises: UnsupportedArchitectureError, ModelUnreadableError.
    """
    config = Config(fields)
    architectures = config.strings("architectures")
    if not architectures:
        raise ModelUnreadableError(
            "model.config.architectures: the config does not say what it is",
            field="model.config.architectures",
            hint='add it, such as ["LlamaForCausalLM"]',
        )
    for architecture in architectures:
        if architecture in _READERS:
            return _of_credible_size(_READERS[architecture](config))
    near = difflib.get_close_matches(architectures[0], _READERS, n=3)
    raise UnsupportedArchitectureError(
        f"model.config.architectures: {architectures[0]} is not covered",
        field="model.config.architectures",
        hint=f"nearest covered: {', '.join(near)}" if near else "weighbridge models lists what is covered",
    )


MOST_TENSORS = 2**10
"""Tensors of all layers that differ, in shape or in how they are stored: each is weighed on each GPU that is tried.
Published models have up to 300."""


def _of_credible_size(model: Model) -> Model:
    """``model``: each of its sizes has a bound, and what they multiply to must have one too.

    Raises: ModelUnreadableError.
    """
    ahead = len(model.multi_token_prediction.tensors)
    differing = ahead + sum(len(layer.tensors) for layer in set(model.layers))
    if model.published and differing <= MOST_TENSORS:
        kinds = model.published.modules.kinds_below(model.layers_module, model.num_hidden_layers)
        differing = ahead + sum(len(layer.tensors) for layer, _ in set(zip(model.layers, kinds, strict=True)))
    if differing > MOST_TENSORS:
        raise ModelUnreadableError(
            f"model.config: its layers differ in {differing} tensors, more than {MOST_TENSORS}",
            field="model.config",
            hint="correct its lists to what the published config.json has",
        )
    if max(model.num_parameters, model.multi_token_prediction.num_parameters) > MAX_NUM_PARAMETERS:
        raise ModelUnreadableError(
            f"model.config: its sizes multiply to more than {MAX_NUM_PARAMETERS:.0e} parameters",
            field="model.config",
            hint="correct its sizes to what the published config.json has",
        )
    return model
