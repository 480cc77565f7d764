"""Lists of modules: layers that are told alike are stored alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ModelUnreadableError
from sizing.catalog.formats import load_formats
from sizing.catalog.models import CatalogModel
from sizing.families import read_model
from sizing.published.module_table import ModuleTable
from sizing.published.modules import Pattern, Patterns, Reader, containing, named
from sizing.storage import kinds_of_layers, storage_as_asked, storage_as_published
from tests.unit.sizing.test_published import QUANTIZED

NUMBERS = ("0", "1", "2", "10", "11", "21")
PARTS = st.sampled_from(("model", "layers", "mlp", "experts", "fc1", *NUMBERS))
RESTS = st.lists(st.sampled_from(("mlp", "experts", "fc1", "0", "1", "21")), min_size=1, max_size=3).map(".".join)
TEXTS = st.lists(st.one_of(PARTS, st.sampled_from(("*", ".", ".", "."))), min_size=1, max_size=7).map("".join)
READERS = st.sampled_from((named, containing))
LISTS = st.lists(st.lists(st.tuples(READERS, TEXTS), max_size=4), max_size=4)


@given(st.lists(TEXTS.map(lambda text: text.replace("*", "")), min_size=1, max_size=4), st.sampled_from(NUMBERS), RESTS)
def test_what_a_prefix_leaves_of_a_pattern_decides_as_the_pattern_does(
    pieces: list[str], number: str, rest: str
) -> None:
    """A path matches a pattern exactly if its rest after a prefix matches what the prefix leaves of the pattern."""
    pattern, prefix = Pattern(tuple(pieces)), f"layers.{number}."
    left = pattern.below(prefix)
    matches_rest = left is not None and left[1].matches(f"{left[0]}{rest}.")
    assert pattern.matches(f"{prefix}{rest}.") is matches_rest


@given(LISTS, RESTS)
def test_layers_of_one_kind_find_the_same(lists: list[list[tuple[Reader, str]]], rest: str) -> None:
    """In whatever lists, layers between which nothing tells find the same for modules of the same name."""
    entries = []
    for place, texts in enumerate(lists):
        found = Patterns()
        for read, text in texts:
            read(text, found)
        entries.append((found, place))
    table = ModuleTable(tuple(entries))
    by_kind: dict[object, object] = {}
    for number, kind in enumerate(table.kinds_below("model.layers", 30)):
        found_here = table.find(f"model.layers.{number}.{rest}")
        assert by_kind.setdefault(kind, found_here) == found_here


def test_layers_that_are_listed_alike_are_of_one_kind() -> None:
    """Names written out, names with stars and texts anywhere tell a layer from others only where they differ."""
    found = Patterns()
    for name in ("model.layers.0.mlp*", "visual.layers.3.mlp", "lm_head", "*.fc1", "model.layers.7*"):
        named(name, found)
    for number in range(1, 9):
        named(f"model.layers.{number}.mlp.gate", found)
    kinds = ModuleTable(((found, None),)).kinds_below("model.language_model.layers", 10)
    assert [kinds.index(kind) for kind in kinds] == [0, 1, 1, 1, 1, 1, 1, 7, 1, 9]


@pytest.mark.parametrize("row", QUANTIZED, ids=lambda row: row.name)
def test_alike_layers_of_a_checkpoint_have_the_same_formats(row: CatalogModel) -> None:
    """Every tensor of a published checkpoint that is read, and of a GGUF file, has the format of its layer's kind."""
    try:
        model = read_model(row.config())
    except ModelUnreadableError as error:
        assert error.field
        return
    formats = load_formats()
    plain = formats.weight_format("bf16")
    assert model.published is not None
    for storage in (
        storage_as_published(model.published, formats, plain),
        storage_as_asked(model, formats.weight_format("gguf:q4_k_m"), plain),
    ):
        by_kind: dict[object, object] = {}
        kinds = kinds_of_layers(model, storage)
        for index, layer in enumerate(model.layers):
            stored = [
                storage.format_of(tensor, f"{model.layers_module}.{index}.{tensor.module}") for tensor in layer.tensors
            ]
            assert by_kind.setdefault((layer, kinds[index]), stored) == stored
        assert len(by_kind) < max(len(model.layers), 2)
