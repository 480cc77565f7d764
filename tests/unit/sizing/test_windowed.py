"""Attention within windows and chunks, and the families that have it."""

from collections import Counter
from typing import Any

import pytest

from schemas.errors import ModelUnreadableError
from sizing.attention import Chunked, FullAttention, SlidingWindow
from sizing.catalog.models import catalog_model, load_models
from sizing.families import read_model
from sizing.model import Model
from tests.unit.sizing.test_config import LLAMA

GEMMA2: dict[str, Any] = {
    **LLAMA,
    "architectures": ["Gemma2ForCausalLM"],
    "num_hidden_layers": 4,
    "head_dim": 32,
    "sliding_window": 128,
}
"""A whole config, small enough to count by hand."""


def _config(name: str, **changes: object) -> dict[str, Any]:
    """A published config with some fields changed, or left out where None."""
    fields = {**load_models().find(name).config(), **changes}
    return {key: value for key, value in fields.items() if value is not None}


def _unquantized(name: str) -> Model:
    return read_model(_config(name, quantization_config=None))


@pytest.mark.parametrize(
    ("tokens", "batched", "kept"),
    [(100_000, 8192, 1023 + 8192), (100_000, 2048, 1023 + 2048), (5000, 8192, 5000), (9215, 8192, 9215)],
)
def test_a_window_keeps_what_precedes_a_batch_and_the_batch(tokens: int, batched: int, kept: int) -> None:
    """A sliding layer keeps window - 1 tokens beside the batch, and never more than the sequence."""
    assert SlidingWindow(num_key_value_heads=4, head_dim=256, window=1024).tokens_kept(tokens, batched) == kept


@pytest.mark.parametrize(
    ("tokens", "batched", "kept"), [(100_000, 2048, 8192 + 2048), (10_000, 8192, 10_000), (16_384, 8192, 16_384)]
)
def test_a_chunked_layer_keeps_a_chunk_and_a_batch(tokens: int, batched: int, kept: int) -> None:
    """A chunked layer keeps one chunk beside the batch, and never more than the sequence."""
    cache = Chunked(num_key_value_heads=8, head_dim=128, attention_chunk_size=8192)
    assert cache.tokens_kept(tokens, batched) == kept


def test_a_token_within_a_window_takes_what_it_takes_in_full() -> None:
    """K and V of a kept token are as wide whichever tokens are kept: 2 x 4 x 256 elements of 16 bits."""
    shape = {"num_key_value_heads": 4, "head_dim": 256}
    for cache in (
        FullAttention(**shape),
        SlidingWindow(**shape, window=1024),
        Chunked(**shape, attention_chunk_size=8192),
    ):
        assert cache.bits_per_token(16, 1) == 2 * 4 * 256 * 16


def test_a_small_gemma_2_counts_by_hand() -> None:
    """Tied embedding 256 x 64; a layer 64 x 32 x (4 + 2 + 2 + 4) + 3 x 64 x 128 + 4 x 64; norm 64."""
    model = read_model(GEMMA2)
    assert model.num_parameters == 256 * 64 + 4 * (64 * 32 * 12 + 3 * 64 * 128 + 4 * 64) + 64
    assert [cache.kind for layer in model.layers for cache in layer.caches] == ["sliding", "full", "sliding", "full"]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("google/gemma-2-27b-it", {"sliding": 23, "full": 23}),
        ("google/gemma-3-4b-it", {"sliding": 29, "full": 5}),
        ("google/gemma-3-12b-it", {"sliding": 40, "full": 8}),
        ("google/gemma-3-27b-it", {"sliding": 52, "full": 10}),
        ("openai/gpt-oss-20b", {"sliding": 12, "full": 12}),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", {"chunked": 36, "full": 12}),
        ("LGAI-EXAONE/EXAONE-4.0-32B", {"sliding": 48, "full": 16}),
        ("allenai/Olmo-3.1-32B-Instruct", {"sliding": 48, "full": 16}),
        ("XiaomiMiMo/MiMo-V2-Flash", {"sliding": 39, "full": 9}),
        ("poolside/Laguna-S-2.1", {"sliding": 36, "full": 12}),
        ("mistralai/Mistral-7B-v0.1", {"sliding": 32}),
        ("mistralai/Mistral-7B-Instruct-v0.2", {"full": 32}),
        ("microsoft/Phi-3-mini-4k-instruct", {"sliding": 32}),
        ("microsoft/Phi-3-mini-128k-instruct", {"full": 32}),
        ("bigcode/starcoder2-7b", {"sliding": 32}),
        ("XiaomiMiMo/MiMo-7B-Base", {"full": 36}),
    ],
)
def test_as_many_layers_slide_as_the_publishers_say(name: str, kinds: dict[str, int]) -> None:
    """Windows, chunks and full attention are dealt to the layers as each model's report or config has it."""
    found = Counter(cache.kind for layer in _unquantized(name).layers for cache in layer.caches)
    assert found == kinds


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("mistralai/Mistral-7B-v0.1", 4096),
        ("microsoft/Phi-3-medium-4k-instruct", 2047),
        ("google/gemma-3-27b-it", 1024),
        ("openai/gpt-oss-20b", 128),
    ],
)
def test_the_window_is_the_configs(name: str, window: int) -> None:
    """Every sliding layer has the window its config states."""
    caches = [cache for layer in _unquantized(name).layers for cache in layer.caches]
    assert {cache.window for cache in caches if isinstance(cache, SlidingWindow)} == {window}


def test_a_window_as_long_as_the_context_is_full_attention() -> None:
    """Mistral with a window of its whole context forgets nothing; so with the window switched off."""
    mistral = {**LLAMA, "architectures": ["MistralForCausalLM"]}
    assert read_model({**mistral, "sliding_window": 512}).attention_kinds == ("full",)
    assert read_model({**mistral, "sliding_window": 511}).attention_kinds == ("sliding",)
    assert read_model({**mistral, "sliding_window": 128, "use_sliding_window": False}).attention_kinds == ("full",)


def test_interleaving_needs_its_window() -> None:
    """A family with sliding layers is refused by the field when its config has no window, never given one."""
    with pytest.raises(ModelUnreadableError) as caught:
        read_model({key: value for key, value in GEMMA2.items() if key != "sliding_window"})
    assert caught.value.field == "model.config.sliding_window"


@pytest.mark.parametrize(
    "layer_types",
    [["full_attention"] * 3, ["sliding_attention", "full_attention", "spiral_attention", "full_attention"]],
)
def test_layer_types_must_be_known_and_as_many_as_layers(layer_types: list[str]) -> None:
    """A list of layer types that is too short, or names a type nobody covers, is refused by the field."""
    with pytest.raises(ModelUnreadableError) as caught:
        read_model({**GEMMA2, "layer_types": layer_types})
    assert caught.value.field == "model.config.layer_types"


def test_what_gemma_3_configs_leave_out_is_what_their_class_says() -> None:
    """Gemma 3 4B without the fields that published files omit counts like the file that states them."""
    fields = _config("google/gemma-3-4b-it")
    omitted = ("num_attention_heads", "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings")
    text = {key: value for key, value in fields["text_config"].items() if key not in omitted}
    assert (
        read_model({**fields, "text_config": text}).num_parameters
        == catalog_model("google/gemma-3-4b-it").num_parameters
    )


@pytest.mark.parametrize(
    ("name", "total"), [("openai/gpt-oss-20b", 20_914_757_184), ("openai/gpt-oss-120b", 116_829_156_672)]
)
def test_gpt_oss_counts_elements_not_packed_words(name: str, total: int) -> None:
    """Unpacked, gpt-oss has the totals OpenAI's model card states: 20.91 and 116.83 billion."""
    assert _unquantized(name).num_parameters == total


def test_values_may_be_narrower_than_keys() -> None:
    """MiMo-V2-Flash keeps keys of 192 and values of 128: 4 heads in full layers, 8 within the window."""
    caches = {layer.caches[0].kind: layer.caches[0] for layer in catalog_model("XiaomiMiMo/MiMo-V2-Flash").layers}
    assert caches["full"].bits_per_token(8, 1) == 4 * (192 + 128) * 8
    assert caches["sliding"].bits_per_token(8, 1) == 8 * (192 + 128) * 8


def test_mimo_shares_embedding_and_output_with_the_layer_that_predicts_further() -> None:
    """MiMo-7B: 7,622,619,136 parameters served, 7,833,409,536 in the checkpoint with its extra layer."""
    model = catalog_model("XiaomiMiMo/MiMo-7B-Base")
    layer = 2 * 4096 * 4096 + 4096 + 2 * (1024 * 4096 + 1024) + 3 * 4096 * 11_008 + 2 * 4096
    assert model.num_parameters == 2 * 151_680 * 4096 + 36 * layer + 4096
    assert model.multi_token_prediction.num_parameters == layer + 3 * 4096 + 2 * 4096 * 4096


def test_step_counts_like_the_class_of_its_decoder() -> None:
    """Step 3.7 Flash has what transformers 5.23.0 builds of it, and 288 routing biases in each of 42 sparse layers."""
    assert catalog_model("stepfun-ai/Step-3.7-Flash").num_parameters == 195_844_496_640 + 42 * 288


@pytest.mark.parametrize(
    ("name", "billions"),
    [
        # OpenAI states 3.61 without the embedding.
        ("openai/gpt-oss-20b", 3.61 + 201_088 * 2880 / 1e9),
        ("meta-llama/Llama-4-Scout-17B-16E-Instruct", 17),
        ("meta-llama/Llama-4-Maverick-17B-128E-Instruct", 17),
        ("XiaomiMiMo/MiMo-V2-Flash", 15),
        ("stepfun-ai/Step-3.7-Flash", 11),
    ],
)
def test_active_parameters_are_near_what_publishers_state(name: str, billions: float) -> None:
    """Parameters a token passes through are within 7 % of the publisher's figure, which leaves towers out."""
    assert _unquantized(name).num_active_parameters / 1e9 == pytest.approx(billions, rel=0.07)
