"""Headers of safetensors files: what the library writes is read, and what nobody should write is refused."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file

from checkpoints.files import HeaderError
from checkpoints.folder import open_folder
from checkpoints.safetensors import LARGEST_HEADER_BYTES, header_bytes, parse_header, read_header
from schemas.errors import ModelUnreadableError

GOOD: dict[str, Any] = {
    "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "b": {"dtype": "BF16", "shape": [4], "data_offsets": [24, 32]},
}


def parsed(header: object, data_bytes: int = 32) -> list[tuple[str, str, tuple[int, ...]]]:
    """Name, type and shape of each tensor of ``header``, a value to be written as JSON."""
    found = parse_header(json.dumps(header).encode(), data_bytes)
    return [(tensor.name, tensor.element.dtype, tensor.shape) for tensor in found]


def test_what_the_library_writes_is_read(tmp_path: Path) -> None:
    """Names, types and shapes are those that the safetensors package wrote."""
    arrays: dict[str, np.ndarray[Any, np.dtype[Any]]] = {
        "model.norm.weight": np.zeros(8, dtype=np.float32),
        "model.layers.0.mlp.up_proj.weight": np.zeros((4, 8), dtype=np.float16),
        "model.layers.0.mlp.up_proj.qweight": np.zeros((2, 8), dtype=np.int32),
        "empty": np.zeros((0, 8), dtype=np.uint8),
    }
    save_file(arrays, tmp_path / "model.safetensors", metadata={"format": "pt"})
    found = {each.name: each for each in read_header(open_folder(tmp_path, tmp_path), "model.safetensors")}
    assert {name: each.shape for name, each in found.items()} == {name: each.shape for name, each in arrays.items()}
    assert {name: each.element.dtype for name, each in found.items()} == {
        "model.norm.weight": "F32",
        "model.layers.0.mlp.up_proj.weight": "F16",
        "model.layers.0.mlp.up_proj.qweight": "I32",
        "empty": "U8",
    }


def test_good_header_is_read_whatever_its_order() -> None:
    """Tensors need not be listed in the order they lie in, and metadata is not one of them."""
    assert parsed({"__metadata__": {"format": "pt"}, "b": GOOD["b"], "a": GOOD["a"]}) == [
        ("b", "BF16", (4,)),
        ("a", "F32", (2, 3)),
    ]


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ([], "not a JSON object"),
        ("text", "not a JSON object"),
        ({"a": 7}, "not an object"),
        ({"a": {**GOOD["a"], "dtype": "F31"}}, "type that is not known"),
        ({"a": {**GOOD["a"], "dtype": ["F32"]}}, "type that is not known"),
        ({"a": {**GOOD["a"], "shape": [-2, -3]}}, "no shape"),
        ({"a": {**GOOD["a"], "shape": [2.0, 3]}}, "no shape"),
        ({"a": {**GOOD["a"], "shape": [True] * 2}}, "no shape"),
        ({"a": {**GOOD["a"], "shape": [2**64, 1]}}, "no shape"),
        ({"a": {**GOOD["a"], "shape": [1] * 9}}, "no shape"),
        ({"a": {**GOOD["a"], "shape": None}}, "no shape"),
        ({"a": {"dtype": "F32", "shape": [6]}}, "two offsets"),
        ({"a": {**GOOD["a"], "data_offsets": [0, 24, 24]}}, "two offsets"),
        ({"a": {**GOOD["a"], "data_offsets": [24, 0]}}, "shape does not take"),
        ({"a": {**GOOD["a"], "shape": [2**62, 2**62]}}, "shape does not take"),
        ({"a": GOOD["a"], "b": {**GOOD["b"], "data_offsets": [20, 28]}}, "overlap or leave a gap"),
        ({"a": GOOD["a"], "b": {**GOOD["b"], "data_offsets": [28, 36]}}, "overlap or leave a gap"),
        ({"a": GOOD["a"], "b": GOOD["b"], "c": GOOD["b"]}, "overlap or leave a gap"),
        ({"a": GOOD["a"]}, "its tensors take 24 bytes, and 32 follow"),
        ({}, "its tensors take 0 bytes"),
        ({"a" * 513: GOOD["a"]}, "longer than 512"),
        ({"a\n": GOOD["a"]}, "cannot be printed"),
        ({"\ud800": GOOD["a"]}, "cannot be printed"),
    ],
)
def test_header_that_cannot_be_true_is_refused(header: object, why: str) -> None:
    """Each way in which a header contradicts itself, or its file, is told."""
    with pytest.raises(HeaderError, match=why):
        parsed(header)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe{}", '{"a": "é"}'.encode("utf-16"), b"[" * 100_000, b'{"a":' * 100_000, b"9" * 10_000],
)
def test_what_is_not_json_is_refused_quickly(text: bytes) -> None:
    """Text of another encoding, cut short or nested without end is refused, and soon."""
    began = time.process_time()
    with pytest.raises(HeaderError):
        parse_header(text, 0)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("first", "size", "why"),
    [
        (b"", 0, "ends within"),
        (b"\x01\0\0\0", 4, "ends within"),
        ((100).to_bytes(8, "little"), 107, "ends within"),
        (b"\xff" * 8, 2**62, "ends within"),
        ((LARGEST_HEADER_BYTES + 1).to_bytes(8, "little"), 2**40, "more than"),
    ],
)
def test_length_is_not_trusted(first: bytes, size: int, why: str) -> None:
    """A header longer than its file, or than any real one, is refused before it is read."""
    with pytest.raises(HeaderError, match=why):
        header_bytes(first, size)


def test_damaged_file_is_told_by_its_name(tmp_path: Path) -> None:
    """The error says which file it is, and what can be done."""
    (tmp_path / "model.safetensors").write_bytes(b"\x10" + b"\0" * 7 + b'{"a": ')
    with pytest.raises(ModelUnreadableError, match=r"model\.safetensors: its header is damaged") as told:
        read_header(open_folder(tmp_path, tmp_path), "model.safetensors")
    assert told.value.field == "model.path"
    assert told.value.hint == "download the file again"


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=200))
def test_no_bytes_raise_anything_else(text: bytes, data_bytes: int) -> None:
    """Whatever a file begins with, it is read or refused."""
    try:
        length = header_bytes(text, len(text))
        parse_header(text[8 : 8 + length], data_bytes)
    except HeaderError:
        pass


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.fixed_dictionaries(
            {"dtype": st.sampled_from(["F32", "BF16", "F4", "X"]) | JSON, "shape": JSON, "data_offsets": JSON}
        ),
        max_size=3,
    )
    | JSON
)
def test_no_json_raises_anything_else(header: object) -> None:
    """Whatever JSON a header is, it is read or refused."""
    with contextlib.suppress(HeaderError):
        parse_header(json.dumps(header).encode(), 24)
