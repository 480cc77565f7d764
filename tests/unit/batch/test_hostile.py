"""Catalogues that somebody wrote to do harm, or without reading how."""

import json
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batch.catalog_file import read_catalog_file
from batch.cells import cells
from batch.lists import Asked, prepared
from batch.plan import plan
from rules.recommend import answer
from schemas.catalog_file import CatalogFile, CellFilter, ModelEntry
from schemas.errors import InvalidRequestError

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["*", "?", "[", "Qwen/Qwen3-8B", "RTX 3090", "fp8", "as-published", "../../etc/passwd"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([*CatalogFile.model_fields, *ModelEntry.model_fields, "hardware", "engine", "gpu", "count"])
OBJECTS = st.dictionaries(NAMES, VALUES | st.dictionaries(NAMES, VALUES, max_size=3), max_size=5)
CATALOGS = st.builds(lambda settings, models: {**settings, "models": models}, OBJECTS, st.lists(OBJECTS | SCALARS))


@given(catalog=CATALOGS | VALUES)
def test_any_catalogue_is_refused_by_field_or_answered_cell_by_cell(
    tmp_path_factory: pytest.TempPathFactory, catalog: object
) -> None:
    """Nothing else is raised, and no cell's answer is a fault of ours."""
    path = tmp_path_factory.getbasetemp() / "hostile.yaml"
    path.write_text(json.dumps(catalog), encoding="utf-8")
    try:
        told = plan(read_catalog_file(path), path.parent, CellFilter())
    except InvalidRequestError as error:
        assert error.message
        return
    for each in prepared(islice(cells(told), 5)):
        if isinstance(each, Asked):
            answered = answer(each.request)
            assert answered.status == "ok" or answered.error.code != "internal"


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    """A few lines of YAML that would stand for billions of values."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    names = "abcdefghij"
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in pairwise(names)]
    path = tmp_path / "laughs.yaml"
    path.write_text("\n".join([*lines, "models: [{config: {field: *j}}]"]))
    with pytest.raises(InvalidRequestError):
        read_catalog_file(path)
    path.write_text("\n".join(["request:", *(f"  {line}" for line in lines), "models: [Qwen/Qwen3-8B]"]))
    with pytest.raises(InvalidRequestError, match="more than"):
        read_catalog_file(path)
    path.write_text("\n".join(["models:", "  - request:", *(f"      {line}" for line in lines), "    name: x"]))
    told = plan(read_catalog_file(path), tmp_path, CellFilter())
    (cell,) = cells(told)
    assert cell.error is not None
    assert "more than" in cell.error.message
