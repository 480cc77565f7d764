"""What a config may say at most: beyond it is an error that names the field, before any arithmetic."""

import json
from typing import Any

import pytest

from rules.recommend import answer
from schemas.errors import ModelUnreadableError
from schemas.recommendation import MAX_TEXT_CHARACTERS, ErrorAnswer
from schemas.request import ModelByConfig
from sizing.catalog.models import load_models
from sizing.families import read_model
from sizing.families.registry import MOST_TENSORS
from sizing.published.bounds import MOST_FORMATS, MOST_GROUPS, MOST_LENGTHS, MOST_LISTS, MOST_STARRED
from sizing.published.modules import Pattern
from sizing.remembered import while_it_lives
from tests.unit.sizing.test_config import LLAMA


def fp8(*names: str) -> dict[str, Any]:
    """A checkpoint in fp8 that leaves the modules ``names`` as they are."""
    return {**LLAMA, "quantization_config": {"quant_method": "fp8", "modules_to_not_convert": list(names)}}


def with_quantization(**fields: object) -> dict[str, Any]:
    """A checkpoint with such a ``quantization_config``."""
    return {**LLAMA, "quantization_config": fields}


ENDLESS = [
    (fp8(*(f"*x{each}*" for each in range(MOST_STARRED + 1))), "quantization_config.modules_to_not_convert"),
    (fp8("a" + "*b" * 40), "quantization_config.modules_to_not_convert"),
    (fp8(*(".".join("a" * length) for length in range(1, MOST_LENGTHS + 2))), "quantization_config"),
    (fp8(*(f"model.layers.{each}.x{each}" for each in range(200)), "x") | {"num_hidden_layers": 200}, ""),
    (
        with_quantization(
            quant_method="gptq", bits=4, group_size=128, dynamic={f"-:x{each}": {} for each in range(MOST_LISTS + 1)}
        ),
        "quantization_config.dynamic",
    ),
    (
        with_quantization(
            quant_method="compressed-tensors", config_groups={f"g{each}": {} for each in range(MOST_GROUPS + 1)}
        ),
        "quantization_config.config_groups",
    ),
    (
        with_quantization(
            quant_algo="MIXED_PRECISION",
            quantized_layers={f"m{each}": {"quant_algo": "NVFP4", "group_size": each} for each in range(1, 100)},
        ),
        "quantization_config.quantized_layers",
    ),
    (
        with_quantization(
            quant_algo="MIXED_PRECISION",
            quantized_layers={
                f"m{each}": {"quant_algo": "NVFP4", "group_size": each} for each in range(1, MOST_FORMATS + 2)
            },
        ),
        "quantization_config",
    ),
]


@pytest.mark.parametrize(("config", "field"), ENDLESS)
def test_lists_that_say_too_much_are_refused(config: dict[str, Any], field: str) -> None:
    """Patterns, rules, groups, formats and kinds of layers beyond any checkpoint's are refused by their field."""
    with pytest.raises(ModelUnreadableError) as caught:
        read_model(config)
    assert caught.value.field == ".".join(filter(None, ("model.config", field)))


def test_sizes_that_multiply_to_no_model_are_refused() -> None:
    """Each size may be possible and the whole not: more than a quadrillion parameters are no model."""
    with pytest.raises(ModelUnreadableError, match="parameters") as caught:
        read_model({**LLAMA, "num_hidden_layers": 512, "hidden_size": 2**20, "intermediate_size": 2**24})
    assert caught.value.field == "model.config"


@pytest.mark.parametrize("value", [[2**30], [10**30], [0.5], [True], ["4"], [1] * 2**18])
def test_lists_of_integers_are_bounded(value: list[object]) -> None:
    """An item that is no integer, or too large, and a list that is too long are refused by the field."""
    config = json.loads(json.dumps(load_models().find("deepseek-ai/DeepSeek-V4-Flash").config()))
    with pytest.raises(ModelUnreadableError) as caught:
        read_model({**config, "compress_ratios": value})
    assert caught.value.field == "model.config.compress_ratios"


@pytest.mark.parametrize(
    ("model", "path", "value"),
    [
        ("moonshotai/Kimi-K3", "vision_config.merge_kernel_size", [2] * 500),
        ("moonshotai/Kimi-K3", "vision_config.merge_kernel_size", [-2, -2]),
        ("nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-FP8", "mtp_hybrid_override_pattern", "*E" * 8000),
        ("Qwen/Qwen3-VL-8B-Instruct", "vision_config.deepstack_visual_indexes", list(range(257))),
        ("Qwen/Qwen3-VL-8B-Instruct", "vision_config.spatial_merge_size", 10**4),
    ],
)
def test_what_is_multiplied_or_made_layers_of_is_bounded(model: str, path: str, value: object) -> None:
    """A list of factors, a pattern of layers, and a size that is squared are refused by their field."""
    config = json.loads(json.dumps(load_models().find(model).config()))
    *sections, name = path.split(".")
    part = config
    for section in sections:
        part = part[section]
    part[name] = value
    with pytest.raises(ModelUnreadableError) as caught:
        read_model(config)
    assert caught.value.field == f"model.config.{path}"


def test_published_models_are_far_within_bounds() -> None:
    """The catalogue's models have less than a third of the tensors and layers that a model may have."""
    for row in load_models().models:
        try:
            model = read_model(row.config())
        except Exception:  # noqa: BLE001, S112 - those that are not covered are another test's
            continue
        assert model.num_hidden_layers * 3 < 512, row.name
        assert sum(len(layer.tensors) for layer in set(model.layers)) * 3 < MOST_TENSORS, row.name


def test_a_gpu_of_which_the_driver_leaves_nothing_is_refused() -> None:
    """Memory that the driver's own share exceeds is an error of that field, not a division by nothing."""
    answered = answer({"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "H100 SXM", "memory_bytes": 2**24}})
    assert isinstance(answered, ErrorAnswer)
    assert (answered.error.code, answered.error.field) == ("invalid_request", "hardware.memory_bytes")


def test_what_an_error_repeats_is_cut() -> None:
    """However long what a request says, the error that repeats it stays short."""
    answered = answer({"model": {"config": {**LLAMA, "architectures": ["x" * 10_000]}}})
    assert isinstance(answered, ErrorAnswer)
    assert answered.error.field == "model.config.architectures"
    assert len(answered.error.message) == MAX_TEXT_CHARACTERS


def test_a_config_is_read_once_while_it_lives() -> None:
    """One config is read once, another like it again, and nothing is kept of what is gone."""
    read: list[int] = []

    @while_it_lives
    def reading(asked: ModelByConfig) -> int:
        read.append(len(asked.config))
        return len(read)

    first, second = ModelByConfig(config={"a": 1}), ModelByConfig(config={"a": 1})
    assert [reading(first), reading(first), reading(second)] == [1, 1, 2]
    del first, second
    assert reading(ModelByConfig(config={"a": 1})) == 3


def test_numbers_that_may_tell_are_those_a_pattern_touches() -> None:
    """A number within a piece is itself; at an end of a piece it may be an end of the layer's number, or within it."""
    numbers = [str(number) for number in range(130)]
    assert Pattern(("", ".7.mlp.")).asked_of(numbers) == ["7"]
    assert Pattern(("", "7.mlp.")).asked_of(numbers) == [each for each in numbers if each.endswith("7")]
    assert Pattern(("", "layers.12", ".")).asked_of(numbers) == [each for each in numbers if each.startswith("12")]
    assert Pattern(("", "12", ".")).asked_of(numbers) == [each for each in numbers if "12" in each]
    assert Pattern(("", ".mlp.")).asked_of(numbers) == []
