"""The dialect of compressed-tensors, which llm-compressor writes."""

from collections.abc import Mapping

from ..config import Config
from .bounds import MOST_GROUPS
from .lists import listed, name_or_expression, patterns
from .modules import Patterns
from .published_format import Per, PublishedFormat, StoredAs, table

_STRATEGIES: Mapping[str, Per] = {"tensor": "tensor", "channel": "channel", "group": "group"}
"""What shares a scale, by what the dialect calls it."""
_ALL_LINEAR = "Linear"
"""Target that stands for every linear layer."""


def read_compressed_tensors(quantization: Config) -> PublishedFormat:
    """``quant_method: compressed-tensors``: groups of targets with the scheme of their weights, and what is ignored.

    Source: compressed-tensors, QuantizationConfig and QuantizationScheme.
    """
    _refuse_other_compressions(quantization)
    groups = quantization.part("config_groups")
    if len(groups.names()) > MOST_GROUPS:
        raise quantization.unreadable("config_groups", f"more than {MOST_GROUPS} groups")
    usual: StoredAs | None = None
    entries: list[tuple[Patterns, StoredAs | None]] = [(listed(quantization, "ignore", read=name_or_expression), None)]
    stored: list[StoredAs] = []
    for name in groups.names():
        group = groups.part(name)
        scheme = _scheme(group, group.text("format", default=quantization.text("format", default="")))
        targets = group.strings("targets")
        if not targets:
            raise group.unreadable("targets", "absent or empty, so that nothing says what is stored so")
        if _ALL_LINEAR in targets:
            usual = scheme
        named = [target for target in targets if target != _ALL_LINEAR]
        if any("." not in target and not target.startswith("re:") and target != "lm_head" for target in named):
            raise group.unreadable("targets", "of classes, only Linear is covered", "write the modules' names out")
        entries.append((patterns(group, "targets", named, name_or_expression), scheme))
        stored.append(scheme)
    if not stored:
        raise quantization.unreadable("config_groups", "empty, so that nothing says how weights are stored")
    return PublishedFormat(stored=usual or stored[0], usual=usual, modules=table(entries))


def _refuse_other_compressions(quantization: Config) -> None:
    if quantization.text("format", default="") == "dense":
        raise quantization.unreadable("format", "dense: the weights are not stored in the format they are to have")
    sparsity = quantization.section("sparsity_config")
    kind = sparsity.text("format", default="dense") if sparsity else "dense"
    if sparsity and kind != "dense":
        raise sparsity.unreadable("format", f"{kind} is not covered")


def _scheme(group: Config, container: str) -> StoredAs:
    """How a group's weights are stored.

    Raises: ModelUnreadableError.
    """
    weights = group.part("weights")
    bits, kind = weights.integer("num_bits"), weights.text("type", default="int")
    size = weights.group_size()
    strategy = weights.text("strategy", default="group" if size else "tensor")
    match kind, bits:
        case "float", 8:
            return _eight_bit_float(weights, strategy, size)
        case "float", 4 if strategy in ("group", "tensor_group") and size:
            return StoredAs(weight_format="mxfp4" if container.startswith("mxfp4") else "nvfp4", group=size)
        case "int", 8 if strategy in ("tensor", "channel") and group.section("input_activations"):
            return StoredAs(weight_format="int8", per=_STRATEGIES[strategy])
        case "int", 8 | 4 if strategy in _STRATEGIES and not group.section("input_activations"):
            return StoredAs(
                weight_format="int8-weight-only" if bits > 4 else "gptq-int4",  # noqa: PLR2004 - of 4 and 8
                per=_STRATEGIES[strategy],
                group=size,
                has_zero_points=not weights.flag("symmetric", default=True),
                is_reordered=_is_reordered(weights),
            )
        case _:
            raise weights.unreadable(
                "num_bits", f"{bits}-bit {kind} by {strategy} is not covered with these activations"
            )


def _eight_bit_float(weights: Config, strategy: str, size: int | None) -> StoredAs:
    match strategy:
        case "tensor" | "channel":
            return StoredAs(weight_format="fp8", per=_STRATEGIES[strategy])
        case "block":
            block = weights.integers("block_structure")
            if len(block) != 2 or block[0] != block[1] or block[0] < 1:  # noqa: PLR2004 - rows and columns
                raise weights.unreadable("block_structure", "only square blocks are covered")
            return StoredAs(weight_format="fp8-block", group=block[0])
        case "group" if size:
            return StoredAs(weight_format="mxfp8", group=size)
        case _:
            raise weights.unreadable("strategy", f"{strategy} is not covered")


def _is_reordered(weights: Config) -> bool:
    """Whether the order of columns is stored: by group, not by weight or in place."""
    order = weights.text("actorder", default="")
    if order not in ("", "group", "weight", "dynamic", "static"):
        raise weights.unreadable("actorder", f"{order} is not covered")
    return order in ("group", "dynamic")
