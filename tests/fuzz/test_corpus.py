"""The hostile inputs in tests/data/hostile: each request is answered as its table says."""

import base64
import json

import pytest

from rules.recommend import answer, encode
from schemas.recommendation import ErrorAnswer
from tests.hostile import FOLDER, HostileRequest, hostile_messages, hostile_requests

LARGEST_FILE_BYTES = 2**16


@pytest.mark.parametrize("request_", hostile_requests(), ids=lambda each: each.name)
def test_request_is_answered_as_its_table_says(request_: HostileRequest) -> None:
    """The answer has the code of the table, and an error names the field at fault and repeats nothing at length."""
    answered = answer(request_.value)
    if not isinstance(answered, ErrorAnswer):
        assert (request_.code, request_.field) == ("ok", None)
        return
    assert (answered.error.code, answered.error.field) == (request_.code, request_.field)
    assert answered.error.message.startswith(request_.field or "request")
    assert len(encode(answered)) < LARGEST_FILE_BYTES // 8


@pytest.mark.parametrize("text", ["{0.__class__}", "{{7*7}}", "%s%n", "$(id)", "{message}", "{model_name}"])
def test_what_looks_like_a_template_is_repeated_as_it_is(text: str) -> None:
    """Names in errors and metadata in answers come back letter by letter, rendered by nothing."""
    refused = answer({"model": {"name": text}})
    assert isinstance(refused, ErrorAnswer)
    assert text in refused.error.message
    metadata = {text: {"note": [text]}}
    answered = answer({"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "H100 SXM"}, "metadata": metadata})
    assert json.loads(encode(answered))["metadata"] == metadata


def test_tables_name_every_file_once() -> None:
    """Each file has a row and each row a file, and none is too long to be looked at."""
    for kind, named in (("requests", hostile_requests()), ("messages", hostile_messages())):
        files = {file.name for file in (FOLDER / kind).iterdir()}
        names = [each.name for each in named]
        assert len(names) == len(set(names))
        assert {name for name in names if "." in name} == files
        assert all(file.stat().st_size <= LARGEST_FILE_BYTES for file in (FOLDER / kind).iterdir())


def test_each_message_says_what_becomes_of_it() -> None:
    """A message is dead for a reason or answered with a code, and the valid one is what the client writes."""
    assert all((each.reason is None) != (each.code is None) for each in hostile_messages())
    (valid,) = (json.loads(each.raw) for each in hostile_messages() if each.name == "valid.json")
    positional, named, embedded = json.loads(base64.b64decode(valid["body"]))
    assert (positional, list(named), set(embedded.values())) == ([], ["request"], {None})
