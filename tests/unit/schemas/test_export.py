import json

import jsonschema
import pytest
from hypothesis import given, settings

from rules.recommend import answer, encode
from schemas.export import drifted, main, schemas
from schemas.parse import parse_request
from tests.strategies import requests

SCHEMAS = schemas()
VALIDATORS = {name: jsonschema.Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def test_committed_schemas_say_what_the_shapes_say() -> None:
    """The files in schemas/json are what the shapes export; else run python -m schemas.export."""
    assert drifted() == []
    assert main(["--check"]) == 0


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_exported_schemas_are_valid_json_schema(name: str) -> None:
    """Every exported schema is itself a valid schema of its dialect."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@given(requests())
@settings(max_examples=50)
def test_requests_and_their_answers_obey_the_exported_schemas(value: dict[str, object]) -> None:
    """What the shapes accept and answer, the exported schemas accept too."""
    parse_request(value)
    VALIDATORS["request.schema.json"].validate(value)
    VALIDATORS["answer.schema.json"].validate(json.loads(encode(answer(value))))


def test_the_request_schema_refuses_unknown_fields() -> None:
    """A client in another language learns of a misspelt field from the schema alone."""
    with pytest.raises(jsonschema.ValidationError):
        VALIDATORS["request.schema.json"].validate({"model": {"name": "a"}, "hardwre": {}})
