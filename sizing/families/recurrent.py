"""The blocks that layers with a recurrent state have in common."""

from collections.abc import Mapping, Sequence

from ..attention import Cache
from ..config import Config
from ..model import Split, Tensor
from .blocks import Tensors

STATE_BITS = {"float32": 32, "float16": 16, "bfloat16": 16}
"""Bits of an element of a recurrent state, by the name configs give its type."""

Block = tuple[Tensors, tuple[Cache, ...]]
"""What mixes tokens in a layer: its tensors and what it keeps."""


def state_bits(config: Config, default: str = "") -> int | None:
    """Bits of an element of the recurrent state; None where it is kept as the model computes."""
    dtype = config.text("mamba_ssm_dtype", default=default)
    if dtype and dtype not in STATE_BITS:
        raise config.unreadable("mamba_ssm_dtype", f"{dtype} is not covered", f"covered: {', '.join(STATE_BITS)}")
    return STATE_BITS.get(dtype)


def types_of_layers(config: Config, covered: Sequence[str]) -> tuple[str, ...]:
    """Type of each layer, from ``layer_types``.

    Raises: ModelUnreadableError.
    """
    found = config.strings("layer_types")
    unknown = sorted(set(found) - set(covered))
    if unknown:
        raise config.unreadable("layer_types", f"{unknown[0]} is not covered", f"covered: {', '.join(covered)}")
    count = config.integer("num_hidden_layers")
    if len(found) != count:
        raise config.unreadable("layer_types", f"{len(found)} types for {count} layers")
    return found


def by_heads(module: str, shape: tuple[int, ...], heads: int) -> Tensor:
    """A tensor that formats leave as it is, such as a convolution, a decay or a gate, divided by heads."""
    return Tensor(module=module, part="attention", shape=shape, split=Split.ROWS, heads=heads)


def routed(module: str, count: int, shapes: Mapping[str, tuple[int, int]]) -> Tensors:
    """Matrices of ``count`` experts; those that lead back, named ``down_proj`` or ``w2``, are divided by columns."""
    return tuple(
        Tensor(
            module=f"{module}.experts.{name}",
            part="experts",
            shape=shape,
            split=Split.COLUMNS if name in ("down_proj", "w2") else Split.ROWS,
            is_quantizable=True,
            count=count,
        )
        for name, shape in shapes.items()
    )
