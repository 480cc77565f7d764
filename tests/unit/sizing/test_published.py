"""Dialects of ``quantization_config``: what a checkpoint says of each of its modules."""

import time
from collections.abc import Mapping

import pytest

from schemas.errors import InvalidRequestError, ModelUnreadableError, WeighbridgeError
from sizing.catalog.formats import load_formats
from sizing.catalog.models import CatalogModel, load_models
from sizing.config import Config
from sizing.deployment import Sizes
from sizing.families import read_model
from sizing.plain_modules import plain_modules
from sizing.published import PublishedFormat, StoredAs, read_published
from sizing.published.lists import patterns
from sizing.published.modules import PatternError, Patterns, expression, named
from sizing.published.published_format import uniform
from sizing.storage import storage_as_published
from sizing.weights import Placement, weights_per_stage
from tests.unit.sizing.test_config import LLAMA
from tests.unit.sizing.weighing import weigh

QUANTIZED = [
    row
    for row in load_models().models
    if "quantization_config" in row.config() or "quantization_config" in row.config().get("text_config", {})
]


def read(quantization: Mapping[str, object], **fields: object) -> PublishedFormat:
    """What a config with ``quantization`` says."""
    published = read_published(Config({"quantization_config": quantization, **fields}))
    assert published is not None
    return published


def format_of(published: PublishedFormat, module: str) -> str | None:
    """Name of the format of the matrix of ``module``; None for 16 bit."""
    stored = published.stored_as(module, by_default=module != "lm_head", if_named=True)
    return stored.weight_format if stored else None


def group(targets: list[str], **weights: object) -> dict[str, object]:
    """One entry of ``config_groups``, of weights alone."""
    return {"targets": targets, "weights": weights, "input_activations": None}


@pytest.mark.parametrize(
    ("listed", "module", "left_out"),
    [
        ("lm_head", "lm_head", True),
        ("gate", "model.layers.3.mlp.gate", True),
        ("gate", "model.layers.3.mlp.gate_proj", False),
        ("model.layers.3", "model.layers.3.mlp.up_proj", True),
        ("model.layers.3", "model.layers.30.mlp.up_proj", False),
        ("model.layers.0.self_attn*", "model.layers.0.self_attn.q_proj", True),
        ("model.layers.0.self_attn*", "model.layers.1.self_attn.q_proj", False),
        ("model.layers.1.*", "model.layers.1.mlp.up_proj", True),
        ("model.layers.1.*", "model.layers.10.mlp.up_proj", False),
        ("model.layers.*.self_attn", "model.layers.7.self_attn.q_proj", True),
        ("model.layers.*.self_attn", "model.layers.7.self_attn_norm", False),
        ("*.mlp.shared_expert.*", "model.layers.7.mlp.shared_expert.up_proj", True),
        ("*.mlp.shared_expert.*", "model.layers.7.mlp.shared_expert_gate", False),
        # The same module by the names that checkpoint and class give its containers.
        ("model.language_model.layers.2.mlp*", "model.layers.2.mlp.up_proj", True),
        ("language_model.lm_head", "lm_head", True),
        ("backbone.layers.5.mixer.q_proj", "model.layers.5.mixer.q_proj", True),
        ("model.visual*", "visual.merger.fc1", True),
        ("model.layers.2", "vision_tower.layers.2.mlp.fc1", False),
        # One expert's name means the experts, which are stored alike.
        ("model.layers.1.mlp.experts.17.up_proj", "model.layers.1.mlp.experts.up_proj", True),
        ("re:.*self_attn.*", "model.layers.0.self_attn.q_proj", True),
        ("re:.*shared_experts.*", "model.layers.4.mlp.experts.up_proj", False),
        (r"re:.*mlp\.(gate|up|gate_up|down)_proj.*", "model.layers.0.mlp.up_proj", True),
        (r"re:.*mlp\.(gate|up|gate_up|down)_proj.*", "model.layers.4.mlp.experts.up_proj", False),
        (r"re:^model\.layers\.1\..*", "model.layers.1.mlp.up_proj", True),
        ("re:.*o_proj$", "model.layers.1.self_attn.o_proj", True),
    ],
)
def test_names_and_patterns_mean_whole_parts_of_a_path(
    listed: str,
    module: str,
    left_out: bool,  # noqa: FBT001 - a table's column
) -> None:
    """A name means a module and what is below it; a star or an expression, whatever it matches from the beginning."""
    published = read(
        {
            "quant_method": "compressed-tensors",
            "config_groups": {"group_0": group(["Linear"], num_bits=8, type="float", strategy="channel")},
            "ignore": [listed],
        }
    )
    stored = published.stored_as(module, by_default=True, if_named=True)
    assert (stored is None) is left_out


@pytest.mark.parametrize(
    "text", [r"re:layers\.\d+", "re:(a", "re:a{2}", "re:[ab]", "re:(a|b*)", "", "re:" + "(a|b)" * 9]
)
def test_expressions_outside_the_bounded_language_are_refused(text: str) -> None:
    """Anything but literal text, any text and choices between texts is an error that names the list."""
    quantization = {
        "quant_method": "compressed-tensors",
        "config_groups": {"group_0": group(["Linear"], num_bits=8, type="float", strategy="channel")},
        "ignore": [text],
    }
    with pytest.raises(ModelUnreadableError) as caught:
        read(quantization)
    assert caught.value.field == "model.config.quantization_config.ignore"


def test_matching_takes_bounded_time() -> None:
    """An expression that backtracking would never finish, and hundreds of names on a thousand modules, take no time."""
    started = time.process_time()
    found = Patterns()
    expression(".*a" * 30 + "b$", found)
    (hostile,) = found.starred
    assert not hostile.matches("a" * 400 + ".")
    plain = [f"model.layers.{index}.{part}" for index in range(100) for part in ("self_attn*", "mlp.gate", "norm")]
    published = uniform(StoredAs(weight_format="fp8"), patterns(Config({}), "ignore", plain))
    for index in range(100):
        for part in range(12):
            assert format_of(published, f"model.layers.{index}.self_attn.proj_{part}") is None
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("quantization", "stored"),
    [
        (
            {"quant_method": "fp8", "weight_block_size": [128, 128]},
            StoredAs(weight_format="fp8-block", group=128),
        ),
        ({"quant_method": "fp8", "weight_block_size": None}, StoredAs(weight_format="fp8", per="tensor")),
        ({"quant_method": "fbgemm_fp8"}, StoredAs(weight_format="fp8", per="channel")),
        (
            {"quant_method": "awq", "bits": 4, "group_size": 64, "zero_point": True},
            StoredAs(weight_format="awq-int4", per="group", group=64, has_zero_points=True),
        ),
        (
            {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": True},
            StoredAs(weight_format="gptq-int4", per="group", group=32, has_zero_points=True, is_reordered=True),
        ),
        (
            {"quant_method": "gptq", "bits": 8, "group_size": -1},
            StoredAs(weight_format="int8-weight-only", per="channel", has_zero_points=True),
        ),
        ({"quant_algo": "NVFP4", "group_size": 16, "ignore": ["lm_head"]}, StoredAs(weight_format="nvfp4", group=16)),
        (
            {"quant_method": "modelopt", "quant_algo": "FP8", "exclude_modules": ["lm_head"]},
            StoredAs(weight_format="fp8", per="tensor"),
        ),
        ({"quantization": {"quant_algo": "MXFP8", "exclude_modules": []}}, StoredAs(weight_format="mxfp8")),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
            StoredAs(weight_format="bnb-nf4"),
        ),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, StoredAs(weight_format="bnb-int8")),
        ({"quant_method": "mxfp4"}, StoredAs(weight_format="mxfp4")),
    ],
)
def test_dialects_of_quantization_config(quantization: dict[str, object], stored: StoredAs) -> None:
    """Each covered dialect is read as the format it means, with the scales it says it has."""
    assert read(quantization).stored == stored


@pytest.mark.parametrize(
    ("scheme", "stored"),
    [
        (
            group(["Linear"], num_bits=8, type="float", strategy="tensor"),
            StoredAs(weight_format="fp8", per="tensor"),
        ),
        (
            group(["Linear"], num_bits=8, type="float", strategy="block", block_structure=[128, 128]),
            StoredAs(weight_format="fp8-block", group=128),
        ),
        (
            {**group(["Linear"], num_bits=8, type="int", strategy="channel"), "input_activations": {"num_bits": 8}},
            StoredAs(weight_format="int8", per="channel"),
        ),
        (
            group(["Linear"], num_bits=8, type="int", strategy="channel"),
            StoredAs(weight_format="int8-weight-only", per="channel", has_zero_points=False),
        ),
        (
            group(["Linear"], num_bits=4, type="int", strategy="group", group_size=128, actorder="group"),
            StoredAs(weight_format="gptq-int4", per="group", group=128, has_zero_points=False, is_reordered=True),
        ),
        (
            group(["Linear"], num_bits=4, type="int", strategy="group", group_size=64, symmetric=False),
            StoredAs(weight_format="gptq-int4", per="group", group=64, has_zero_points=True),
        ),
        (
            group(["Linear"], num_bits=4, type="float", strategy="tensor_group", group_size=16),
            StoredAs(weight_format="nvfp4", group=16),
        ),
        (
            {**group(["Linear"], num_bits=4, type="float", group_size=32), "format": "mxfp4-pack-quantized"},
            StoredAs(weight_format="mxfp4", group=32),
        ),
    ],
)
def test_schemes_of_compressed_tensors(scheme: dict[str, object], stored: StoredAs) -> None:
    """Bits, type, strategy and group of a scheme say the format; zero points are there if it is not symmetric."""
    assert read({"quant_method": "compressed-tensors", "config_groups": {"group_0": scheme}}).stored == stored


def test_groups_of_targets_are_stored_each_in_its_own_format() -> None:
    """Named targets are stored by their own group, the rest by that of Linear, what is ignored in 16 bit."""
    published = read(
        {
            "quant_method": "compressed-tensors",
            "config_groups": {
                "group_0": group(["re:.*mlp.*"], num_bits=4, type="int", strategy="group", group_size=32),
                "group_1": group(["Linear"], num_bits=8, type="float", strategy="channel"),
            },
            "ignore": ["lm_head", "re:.*down_proj"],
        }
    )
    assert format_of(published, "model.layers.0.mlp.up_proj") == "gptq-int4"
    assert format_of(published, "model.layers.0.self_attn.q_proj") == "fp8"
    assert format_of(published, "model.layers.0.mlp.down_proj") is None
    assert format_of(published, "lm_head") is None


def test_gptq_mixes_bits_and_leaves_modules_out_by_its_dynamic_rules() -> None:
    """``-:`` leaves out, ``+:`` gives other bits and keeps what it does not say, the first rule deciding."""
    published = read(
        {
            "quant_method": "gptq",
            "bits": 4,
            "group_size": 128,
            "dynamic": {"-:.*visual.*": {}, r"+:.*self_attn\..*": {"bits": 8}, "-:.*self_attn.*": {}},
        }
    )
    assert format_of(published, "visual.blocks.mlp") is None
    assert published.stored_as("model.layers.0.self_attn.q_proj", by_default=True, if_named=True) == StoredAs(
        weight_format="int8-weight-only", per="group", group=128, has_zero_points=True
    )
    assert format_of(published, "model.layers.0.mlp.up_proj") == "gptq-int4"


def test_gptq_quantizes_the_output_matrix_by_its_own_switch() -> None:
    """Rules alone leave it in 16 bit; with the switch it has the rules' bits, or those of all."""
    gptq = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    assert format_of(read({**gptq, "dynamic": {"lm_head": {}}}), "lm_head") is None
    assert format_of(read({**gptq, "lm_head": True}), "lm_head") == "gptq-int4"
    rules = {"+:.*lm_head$": {"bits": 8}}
    assert format_of(read({**gptq, "lm_head": True, "dynamic": rules}), "lm_head") == "int8-weight-only"


def test_int4_checkpoints_with_attention_in_16_bit_have_their_published_size() -> None:
    """Qwen3.5-27B-GPTQ-Int4 is 30.2 GB, because attention, vision and the next-token layer stay in 16 bit."""
    # Source: config.json and repository size of Qwen/Qwen3.5-27B-GPTQ-Int4.
    left_out = ("-:.*attn.*", "-:.*shared_expert.*", "-:.*mtp.*", "-:.*visual.*")
    dynamic: dict[str, object] = {"lm_head": {}, "model.language_model.embed_tokens": {}}
    quantization = {
        "quant_method": "gptq",
        "bits": 4,
        "group_size": 128,
        "desc_act": False,
        "lm_head": False,
        "dynamic": dynamic | {name: {} for name in left_out},
    }
    model = read_model({**load_models().find("Qwen/Qwen3.5-27B").config(), "quantization_config": quantization})
    formats = load_formats()
    assert model.published is not None
    storage = storage_as_published(model.published, formats, formats.weight_format("bf16"))
    sizes = Sizes(tensor_parallel_size=1, pipeline_parallel_size=1, data_parallel_size=1, enable_expert_parallel=False)
    (parts,) = weights_per_stage(model, Placement(storage=storage, sizes=sizes, vocabulary_padding=1))
    ahead = 2 * model.multi_token_prediction.num_parameters
    stored = sum(size for part, size in parts.items() if part != "rotary") + ahead
    assert stored / 1e9 == pytest.approx(30.2, abs=0.05)


def test_awq_leaves_out_by_any_part_of_a_name() -> None:
    """AutoAWQ's list holds texts that a path may have anywhere."""
    published = read(
        {
            "quant_method": "awq",
            "bits": 4,
            "group_size": 128,
            "modules_to_not_convert": ["visual", "shared_exp", "model.layers.1.mlp"],
        }
    )
    assert format_of(published, "model.layers.0.mlp.shared_expert.up_proj") is None
    assert format_of(published, "model.language_model.layers.1.mlp.up_proj") is None
    assert format_of(published, "model.layers.0.mlp.up_proj") == "awq-int4"


def test_mixed_precision_stores_what_it_lists_and_nothing_else() -> None:
    """Each listed layer has its own algorithm, the output matrix too; what no list names stays in 16 bit."""
    published = read(
        {
            "quant_algo": "MIXED_PRECISION",
            "quantized_layers": {
                "lm_head": {"quant_algo": "W4A16_NVFP4", "group_size": 16},
                "backbone.layers.0.mixer.in_proj": {"quant_algo": "FP8"},
                "backbone.layers.1.mixer.experts.0.up_proj": {"quant_algo": "W4A16_NVFP4", "group_size": 16},
                "backbone.layers.1.mixer.experts.1.up_proj": {"quant_algo": "W4A16_NVFP4", "group_size": 16},
            },
            "exclude_modules": ["mtp*"],
        }
    )
    assert published.weight_format == "nvfp4"
    assert format_of(published, "lm_head") == "nvfp4"
    assert format_of(published, "model.layers.0.mixer.in_proj") == "fp8"
    assert format_of(published, "model.layers.1.mixer.experts.up_proj") == "nvfp4"
    assert format_of(published, "model.layers.0.mixer.out_proj") is None


def test_experts_of_their_own_format() -> None:
    """MXFP4 means the experts alone; DeepSeek-V4's own fields put them in FP4, NVIDIA's lists in NVFP4."""
    experts, attention = "model.layers.3.ffn.experts.up_proj", "model.layers.3.attn.wq_a"
    gpt_oss = read({"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]})
    assert (format_of(gpt_oss, experts), format_of(gpt_oss, attention)) == ("mxfp4", None)
    blocks = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    deepseek = read(blocks, expert_dtype="fp4")
    assert (format_of(deepseek, experts), format_of(deepseek, attention)) == ("mxfp4", "fp8-block")
    assert deepseek.weight_format == "mxfp4"
    layers = {"layers.3.ffn.experts": {"quant_algo": "NVFP4", "group_size": 16}}
    nvidia = read({**blocks, "quant_algo": "MIXED_PRECISION", "quantized_layers": layers}, expert_dtype="fp4")
    assert (format_of(nvidia, experts), format_of(nvidia, attention)) == ("nvfp4", "fp8-block")


@pytest.mark.parametrize(
    ("quantization", "field"),
    [
        ({"quant_method": "hqq"}, "quant_method"),
        ({}, "quant_method"),
        ({"quant_method": "fp8", "weight_block_size": [1, 128]}, "weight_block_size"),
        ({"quant_method": "gptq", "bits": 3, "group_size": 128}, "bits"),
        ({"quant_method": "gptq", "bits": 4, "dynamic": {"+:.*mlp.*": {"bits": 2}}}, "dynamic.+:.*mlp.*.bits"),
        ({"quant_method": "gptq", "bits": 4, "dynamic": {r"-:.*\d": {}}}, "dynamic"),
        ({"quant_method": "awq", "bits": 4, "group_size": 0}, "group_size"),
        ({"quant_method": "bitsandbytes"}, "load_in_4bit"),
        ({"quant_algo": "INT4_WHAT"}, "quant_algo"),
        ({"quant_algo": "MIXED_PRECISION"}, "quantized_layers"),
        ({"quant_algo": "MIXED_PRECISION", "quantized_layers": {"lm_head": {}}}, "quantized_layers.lm_head.quant_algo"),
        ({"quant_method": "compressed-tensors"}, "config_groups"),
        ({"quant_method": "compressed-tensors", "config_groups": {}}, "config_groups"),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"a": group(["Conv"], num_bits=8)}},
            "config_groups.a.targets",
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {"a": group(["Linear"], num_bits=3)}},
            "config_groups.a.weights.num_bits",
        ),
        (
            {"quant_method": "compressed-tensors", "config_groups": {}, "sparsity_config": {"format": "bitmask"}},
            "sparsity_config.format",
        ),
        ({"quant_method": "compressed-tensors", "config_groups": {}, "format": "dense"}, "format"),
    ],
)
def test_a_dialect_nobody_covers_is_refused(quantization: dict[str, object], field: str) -> None:
    """A checkpoint stored in a way that no reader knows is an error that names the field, not 16 bit."""
    with pytest.raises(ModelUnreadableError) as caught:
        read_model({**LLAMA, "quantization_config": quantization})
    assert caught.value.field == f"model.config.quantization_config.{field}"


@pytest.mark.parametrize("row", QUANTIZED, ids=lambda row: row.name)
def test_every_quantized_checkpoint_of_the_catalogue_is_read_or_refused_by_field(row: CatalogModel) -> None:
    """What is read keeps something in 16 bit and names formats that have rows; what is not says which field it is."""
    try:
        published = read_model(row.config()).published
    except WeighbridgeError as error:
        assert error.field
        return
    assert published is not None
    weigh(row.name, "B200", weight_format=published.weight_format)


def test_a_bad_pattern_is_an_error() -> None:
    """An empty name means nothing."""
    with pytest.raises(PatternError):
        named("", Patterns())


def test_the_order_of_columns_is_stored_where_it_matters() -> None:
    """desc_act adds 8 bytes for each input column of each quantized matrix."""
    quantization = {"quant_method": "gptq", "bits": 4, "group_size": 64}
    plain = weigh({"config": {**LLAMA, "quantization_config": quantization}}, "RTX 4090")
    ordered = weigh({"config": {**LLAMA, "quantization_config": {**quantization, "desc_act": True}}}, "RTX 4090")
    columns_of_a_layer = 6 * 64 + 128
    assert ordered.per_gpu.weights_bytes - plain.per_gpu.weights_bytes == 2 * 8 * columns_of_a_layer


@pytest.mark.parametrize(
    ("name", "weight_format", "count", "works"),
    # Each of these stopped an engine at start-up: experts of 1536 columns on 8 ranks, and 13696 columns on 2.
    [
        ("Qwen/Qwen3-235B-A22B-FP8", None, 8, 4),
        ("MiniMaxAI/MiniMax-M2.5", None, 8, 4),
        ("Qwen/Qwen1.5-14B-Chat", "awq-int4", 2, 1),
    ],
)
def test_ranks_that_would_hold_parts_of_a_group_are_refused(
    name: str, weight_format: str | None, count: int, works: int
) -> None:
    """vLLM does not start where a rank's part is not made of whole blocks or groups; fewer ranks work."""
    with pytest.raises(InvalidRequestError, match="in groups of 128") as caught:
        weigh(name, "H200", count, weight_format=weight_format)
    assert caught.value.field == "parallelism.tensor_parallel_size"
    assert str(works) in (caught.value.hint or "")
    weigh(name, "H200", works, weight_format=weight_format)


def test_whole_experts_need_no_whole_groups_of_ranks() -> None:
    """With expert parallelism each rank holds whole experts, and the same checkpoint starts on 8 ranks."""
    sizes = {"tensor_parallel_size": 8, "enable_expert_parallel": True}
    assert weigh("MiniMaxAI/MiniMax-M2.5", "H200", 8, parallelism=sizes).per_gpu.weights_bytes > 0


@pytest.mark.parametrize(
    ("name", "count", "measured_gib"),
    # Weights of one GPU in vLLM's start-up logs on H100; the experts' sides are padded there.
    [("openai/gpt-oss-120b", 1, 64.38), ("openai/gpt-oss-120b", 2, 32.98), ("openai/gpt-oss-20b", 1, 13.47)],
)
def test_mxfp4_experts_take_what_vllm_printed(name: str, count: int, measured_gib: float) -> None:
    """gpt-oss is within one part in a hundred of what was measured, padding included."""
    assert weigh(name, "H200", count).per_gpu.weights_bytes / 2**30 == pytest.approx(measured_gib, rel=0.01)


def test_modules_that_stay_in_16_bit_are_named() -> None:
    """A star stands for all layers that have the module, numbers for some of them."""
    quantization = {"quant_method": "fp8", "modules_to_not_convert": ["model.layers.1.mlp", "self_attn.q_proj"]}
    deployment = weigh({"config": {**LLAMA, "quantization_config": quantization}}, "RTX 4090").deployment
    assert deployment.model is not None
    assert plain_modules(deployment.model, deployment.storage) == (
        "model.embed_tokens",
        "lm_head",
        "model.layers.*.self_attn.q_proj",
        "model.layers.1.mlp.gate_proj",
        "model.layers.1.mlp.up_proj",
        "model.layers.1.mlp.down_proj",
    )
    plain = weigh({"config": LLAMA}, "RTX 4090").deployment
    assert plain.model is not None
    assert plain_modules(plain.model, plain.storage) == ()


def test_a_checkpoint_that_does_not_say_what_stays_in_16_bit_is_refused() -> None:
    """A modelopt checkpoint without a list of excluded modules is an error that names the list."""
    with pytest.raises(ModelUnreadableError) as caught:
        read({"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}})
    assert caught.value.field == "model.config.quantization_config.quantization.exclude_modules"
