"""What a request may hold at most."""

import json
from typing import Any

import pytest

from schemas.bounds import MAX_CHARACTERS, MAX_DEPTH, MAX_INTEGER, MAX_KEY_CHARACTERS, MAX_VALUES
from schemas.errors import InvalidRequestError
from schemas.parse import parse_request
from sizing.catalog.models import load_models


def nested(depth: int, innermost: object) -> Any:  # noqa: ANN401 - as deep as asked
    """``innermost`` in so many lists."""
    for _ in range(depth):
        innermost = [innermost]
    return innermost


REFUSED = [
    ({"model": {"config": {"hidden_size": MAX_INTEGER + 1}}}, "model.config.hidden_size", "beyond"),
    ({"model": {"config": {"hidden_size": -(10**9999)}}}, "model.config.hidden_size", "beyond"),
    ({"model": {"config": {"layer_types": [1, 10**5000]}}}, "model.config.layer_types.1", "beyond"),
    ({"model": {"config": {"dtype": "x" * (MAX_CHARACTERS + 1)}}}, "model.config.dtype", "characters"),
    ({"model": {"config": {"x" * (MAX_KEY_CHARACTERS + 1): 1}}}, "model.config", "key of"),
    ({"model": {"config": {7: 1}}}, "model.config", "no string"),
    ({"model": {"config": {"layer_types": ["full_attention"] * MAX_VALUES}}}, "model.config.layer_types", "values"),
    ({"model": {"config": {"a": nested(MAX_DEPTH, 1)}}}, f"model.config.a{'.0' * (MAX_DEPTH - 3)}", "deep"),
    ({"model": {"config": {"a": nested(100_000, 1)}}}, f"model.config.a{'.0' * (MAX_DEPTH - 3)}", "deep"),
    ({"metadata": nested(100_000, 1)}, f"metadata{'.0' * (MAX_DEPTH - 1)}", "deep"),
    ({"model": {"config": {"a": [{"b": float("inf")}]}}}, "model.config.a.0.b", "finite"),
    ({"workload": {"max_model_len": 10**9999}}, "workload.max_model_len", "beyond"),
    ({"weight_format": 10**9999}, "weight_format", "beyond"),
    ({"request_id": 10**9999}, "request_id", "beyond"),
]


@pytest.mark.parametrize(("value", "field", "words"), REFUSED, ids=[f"{field:.40}" for _, field, _ in REFUSED])
def test_what_is_too_much_is_refused_by_its_field(value: object, field: str, words: str) -> None:
    """A value that is too large, too long or too deep is refused with its path, wherever it is."""
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(value)
    assert caught.value.field is not None
    assert caught.value.field.startswith(field)
    assert words in caught.value.message


def test_a_list_that_holds_itself_is_refused() -> None:
    """A value made in process that never ends is refused like one that is nested too deeply."""
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(InvalidRequestError, match="deep"):
        parse_request({"metadata": {"a": endless}})


def test_what_is_just_allowed_is_parsed() -> None:
    """The bounds themselves are within bounds."""
    config = {
        "a": MAX_INTEGER,
        "b": "x" * MAX_CHARACTERS,
        "x" * MAX_KEY_CHARACTERS: nested(MAX_DEPTH - 3, 1),
        "c": [0] * (MAX_VALUES - MAX_DEPTH - 3),
    }
    assert parse_request({"model": {"config": config}})


def test_every_published_config_is_within_bounds() -> None:
    """No config of the catalogue is refused, but those that Python wrote with an infinity, which is not JSON."""
    for row in load_models().models:
        config = dict(row.config())
        if "Infinity" in json.dumps(config):
            with pytest.raises(InvalidRequestError, match="not a finite number"):
                parse_request({"model": {"config": config}})
        else:
            assert parse_request({"model": {"config": config}})
