"""What an entry of the stream holds, and the id it is answered under."""

import hmac
from collections.abc import Mapping

import pytest

from schemas.errors import InvalidRequestError
from worker.delivery.signature import Signer
from worker.stream.entry import ForgedEntryError, RequestEntry, Terms


def entry(fields: Mapping[bytes, bytes]) -> RequestEntry:
    """An entry with those fields, of which 100 bytes are read."""
    return RequestEntry.of(b"7-0", fields, Terms(max_bytes=100, signer=None))


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


def test_signed_entries_alone_are_trusted_where_signatures_are_asked_for() -> None:
    """The signature is the HMAC of the text with SHA-256, in hexadecimal; a forger cannot choose the id of an error."""
    terms = Terms(max_bytes=100, signer=Signer(b"secret"))
    text = b'{"request_id": "own"}'
    signature = hmac.digest(b"secret", text, "sha256").hex().encode()
    signed = RequestEntry.of(b"7-0", {b"request": text, b"signature": signature}, terms)
    assert (signed.request(), signed.request_id()) == ({"request_id": "own"}, "own")
    for forged in ({}, {b"signature": b""}, {b"signature": b"\xff"}, {b"signature": signature[:-1] + b"x"}):
        read = RequestEntry.of(b"7-0", {b"request": text, **forged}, terms)
        with pytest.raises(ForgedEntryError):
            read.request()
        assert read.request_id() == "7-0"
