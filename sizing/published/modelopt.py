"""The dialect of NVIDIA's TensorRT Model Optimizer, in config.json or in hf_quant_config.json."""

from collections.abc import Mapping

from ..config import Config
from .bounds import MOST_GROUPS
from .lists import listed, patterns
from .modules import Patterns
from .published_format import PublishedFormat, StoredAs, table, uniform

_ALGORITHMS: Mapping[str, StoredAs] = {
    "NVFP4": StoredAs(weight_format="nvfp4"),
    "NVFP4_AWQ": StoredAs(weight_format="nvfp4"),
    "W4A16_NVFP4": StoredAs(weight_format="nvfp4"),
    "W4A16_AWQ": StoredAs(weight_format="awq-int4", has_zero_points=False),
    "FP8": StoredAs(weight_format="fp8", per="tensor"),
    "FP8_PER_CHANNEL_PER_TOKEN": StoredAs(weight_format="fp8", per="channel"),
    "FP8_PB_WO": StoredAs(weight_format="fp8-block"),
    "MXFP8": StoredAs(weight_format="mxfp8"),
}
"""What each ``quant_algo`` stores, fewest bits first: a mixture is called by the first of these it has."""

Layers = list[tuple[Patterns, StoredAs]]


def read_modelopt(quantization: Config) -> PublishedFormat:
    """``quant_method: modelopt``: one ``quant_algo`` for all, or ``MIXED_PRECISION`` with its ``quantized_layers``.

    The file hf_quant_config.json has all this below ``quantization``.
    """
    inner = quantization.section("quantization") or quantization
    plain = listed(inner, "exclude_modules", "ignore")
    if inner.text("quant_algo", default="") != "MIXED_PRECISION":
        stored = _stored(inner)
        if not (inner.has("exclude_modules") or inner.has("ignore")):
            raise inner.unreadable(
                "exclude_modules",
                "absent, so that nothing says which modules stay in 16 bit",
                "add it as the checkpoint's hf_quant_config.json has it, or as an empty list",
            )
        return uniform(stored, plain)
    layers = quantized_layers(inner)
    if not layers:
        raise inner.unreadable(
            "quantized_layers",
            "absent, and MIXED_PRECISION alone does not say which module is stored how",
            "add it as the checkpoint's own config.json or hf_quant_config.json has it",
        )
    return PublishedFormat(stored=fewest_bits(layers), usual=None, modules=table([*layers, (plain, None)]))


def quantized_layers(quantization: Config) -> Layers:
    """The modules of ``quantized_layers`` by how they are stored; empty where the field is absent.

    Raises: ModelUnreadableError.
    """
    layers = quantization.section("quantized_layers")
    if layers is None:
        return []
    alike: dict[StoredAs, list[str]] = {}
    schemes = layers.alike()
    if len(schemes) > MOST_GROUPS:
        raise quantization.unreadable("quantized_layers", f"more than {MOST_GROUPS} ways to store a module")
    for names in schemes:
        alike.setdefault(_stored(layers.part(names[0])), []).extend(names)
    return [(patterns(quantization, "quantized_layers", names), stored) for stored, names in alike.items()]


def fewest_bits(layers: Layers) -> StoredAs:
    """Of the formats that ``layers`` are stored in, the one of the fewest bits."""
    order = [each.weight_format for each in _ALGORITHMS.values()]
    return min((stored for _, stored in layers), key=lambda stored: order.index(stored.weight_format))


def _stored(quantization: Config) -> StoredAs:
    algorithm = quantization.text("quant_algo", default="")
    if algorithm not in _ALGORITHMS:
        raise quantization.unreadable(
            "quant_algo", f"{algorithm or 'absence'} is not covered", f"covered: {', '.join(_ALGORITHMS)}"
        )
    stored = _ALGORITHMS[algorithm]
    group = quantization.group_size()
    if group is None or stored.per:
        return stored
    return StoredAs(weight_format=stored.weight_format, group=group, has_zero_points=stored.has_zero_points)
