"""The dialects of AWQ and GPTQ: packed integers with a scale and a zero point for each group of inputs."""

from collections.abc import Mapping

from schemas.vocabulary import WeightFormat

from ..config import Config
from .bounds import MOST_LISTS
from .lists import listed, patterns
from .modules import Patterns, containing, expression
from .published_format import PublishedFormat, StoredAs, table, uniform

_AWQ: Mapping[int, WeightFormat] = {4: "awq-int4"}
_GPTQ: Mapping[int, WeightFormat] = {4: "gptq-int4", 8: "int8-weight-only"}
"""What weights of so many bits are called."""


def read_awq(quantization: Config) -> PublishedFormat:
    """``quant_method: awq``; a module stays as it is when its path has a listed text anywhere.

    Source: vLLM, is_layer_skipped_awq.
    """
    plain = listed(quantization, "modules_to_not_convert", read=containing)
    zeros = quantization.flag("zero_point", default=True)
    return uniform(_packed(quantization, _AWQ, has_zero_points=zeros), plain)


def read_gptq(quantization: Config) -> PublishedFormat:
    """``quant_method: gptq``, of 4 and 8 bits, by ``dynamic`` mixed and with modules left out.

    Zero points are stored even where they are all alike.  The expressions of ``dynamic`` are tried in order; ``-:``
    before one leaves modules out, ``+:`` or nothing gives them bits or a group of their own.
    Source: GPTQModel, dynamic; vLLM, get_dynamic_override.
    """
    if quantization.has("modules_in_block_to_quantize"):
        raise quantization.unreadable("modules_in_block_to_quantize", "quantizing a part of each block is not covered")
    stored = _packed(quantization, _GPTQ, has_zero_points=True)
    # The output matrix has a switch of its own, without which no rule quantizes it.
    output = patterns(quantization, "lm_head", ["lm_head"])
    quantizes_output = quantization.flag("lm_head", default=False)
    entries: list[tuple[Patterns, StoredAs | None]] = [] if quantizes_output else [(output, None)]
    rules = quantization.section("dynamic")
    if rules and len(rules.names()) > MOST_LISTS:
        raise quantization.unreadable("dynamic", f"more than {MOST_LISTS} rules")
    for name in rules.names() if rules else ():
        matched = patterns(quantization, "dynamic", [name.removeprefix("+:").removeprefix("-:")], expression)
        changed = None if rules is None or name.startswith("-:") else rules.part(name)
        own = None
        if changed is not None:
            own = _packed(changed.with_defaults(_usual(quantization)), _GPTQ, has_zero_points=True)
        entries.append((matched, own))
    entries.append((listed(quantization, "modules_to_not_convert", read=containing), None))
    if quantizes_output:
        entries.append((output, stored))
    return PublishedFormat(stored=stored, usual=stored, modules=table(entries))


def _usual(quantization: Config) -> dict[str, object]:
    return {
        "bits": quantization.integer("bits"),
        "group_size": quantization.group_size() or -1,
        "desc_act": quantization.flag("desc_act", default=False),
    }


def _packed(quantization: Config, called: Mapping[int, WeightFormat], *, has_zero_points: bool) -> StoredAs:
    bits = quantization.integer("bits")
    if bits not in called:
        raise quantization.unreadable("bits", f"{bits} bits are not covered", f"covered: {', '.join(map(str, called))}")
    group = quantization.group_size()
    return StoredAs(
        weight_format=called[bits],
        per="group" if group else "channel",
        group=group,
        has_zero_points=has_zero_points,
        is_reordered=quantization.flag("desc_act", default=False),
    )
