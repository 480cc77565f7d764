"""What an entry of the stream holds, and the id it is answered under."""

from collections.abc import Mapping

import pytest

from schemas.errors import InvalidRequestError
from worker.stream.entry import RequestEntry


def entry(fields: Mapping[bytes, bytes]) -> RequestEntry:
    """An entry with those fields, of which 100 bytes are read."""
    return RequestEntry.of(b"7-0", fields, 100)


def test_entry_is_read_whatever_else_it_has() -> None:
    """Only the field request counts, and its own id is the request's."""
    read = entry({b"traceparent": b"\xff", b"request": b'{"request_id": "own"}'})
    assert (read.request(), read.request_id()) == ({"request_id": "own"}, "own")


@pytest.mark.parametrize(
    ("fields", "request_id"),
    [
        ({}, "7-0"),
        ({b"Request": b"{}"}, "7-0"),
        ({b"request": b""}, "7-0"),
        ({b"request": b"\xff"}, "7-0"),
        ({b"request": b"[" * 100}, "7-0"),
        ({b"request": b'{"request_id": "own", "a": NaN}'}, "own"),
        ({b"request": b'{"request_id": "own", "a": 1, "a": 2}'}, "own"),
        ({b"request": b'{"request_id": "own", "a": "%s"}' % (b"x" * 100)}, "7-0"),
    ],
)
def test_bad_entry_is_told_under_the_id_that_is_found(fields: Mapping[bytes, bytes], request_id: str) -> None:
    """What cannot be read says why, under its own id where that can be read."""
    read = entry(fields)
    with pytest.raises(InvalidRequestError):
        read.request()
    assert read.request_id() == request_id


@pytest.mark.parametrize("text", [b"7", b"[]", b'{"request_id": 7}', b'{"request_id": "\xc3\xa9"}'])
def test_unusable_id_is_the_entrys(text: bytes) -> None:
    """Where the JSON has no id that the contract allows, the entry's name is it: the same on every delivery."""
    assert entry({b"request": text}).request_id() == "7-0"
