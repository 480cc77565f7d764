"""Signatures: what they cover, and that nothing a forger writes is more than refused."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.messages import a_message
from worker.delivery.envelope import Envelope, MalformedMessageError, check, parse
from worker.delivery.signature import Signer

SIGNER = Signer(b"the key")


def envelope(message: dict[str, Any]) -> Envelope:
    """The message as a worker reads it."""
    return parse(json.dumps(message).encode(), max_message_bytes=2**20)


def signed() -> dict[str, Any]:
    """A message with its signature."""
    message = a_message("an-id")
    SIGNER.sign(message)
    return message


def test_signed_message_passes() -> None:
    """What was signed with the key bears its signature."""
    SIGNER.check(envelope(signed()))
    assert SIGNER.vouches_for(envelope(signed()))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("task", "weighbridge.size_many"),
        ("id", "another-id"),
        ("signature", None),
        ("signature", ""),
        ("signature", "0" * 64),
        ("signature", "é"),
        ("signature", 64 * "A"),
    ],
)
def test_changed_header_is_refused(part: str, value: str | None) -> None:
    """Another task, id or signature is not what was signed."""
    message = signed()
    message["headers"][part] = value
    with pytest.raises(MalformedMessageError) as told:
        SIGNER.check(envelope(message))
    assert told.value.reason == "signature"
    assert told.value.envelope is None


def test_changed_body_is_refused() -> None:
    """One letter is enough."""
    message = signed()
    message["body"] = message["body"][:-8] + "AAAA" + message["body"][-4:]
    assert not SIGNER.vouches_for(envelope(message))


@pytest.mark.parametrize("part", ["body", "content-type"])
def test_half_a_character_is_refused_like_anything_else(part: str) -> None:
    r"""JSON spells it as \ud800, and nothing can encode it: neither the signature nor a dead letter may fail on it."""
    message = a_message("an-id", **{part: "\ud800"})
    assert not SIGNER.vouches_for(envelope(message))
    with pytest.raises(MalformedMessageError) as told:
        check(envelope(message), "sizing", ["weighbridge.size"])
    assert told.value.detail.encode()


def test_other_key_signs_otherwise() -> None:
    """A message of another key is a forgery."""
    assert not Signer(b"another key").vouches_for(envelope(signed()))


def test_parts_cannot_be_shifted() -> None:
    """A letter moved from one part to the next is another message."""
    message = a_message("bc")
    message["headers"]["task"] = "a"
    SIGNER.sign(message)
    message["headers"] |= {"task": "ab", "id": "c"}
    assert not SIGNER.vouches_for(envelope(message))


def test_signature_is_what_the_protocol_says() -> None:
    """Any language can make it: each part as its length, a colon, and itself."""
    message = signed()
    text = f"16:weighbridge.size5:an-id{len(message['body'])}:{message['body']}"
    assert message["headers"]["signature"] == hmac.new(b"the key", text.encode(), hashlib.sha256).hexdigest()


def test_signature_of_a_stream_entry_is_the_plain_one() -> None:
    """Any language can make it: HMAC with SHA-256 of the text, in hexadecimal."""
    text = json.dumps({"model": {"name": "x"}}).encode()
    assert SIGNER.of_request(text) == hmac.new(b"the key", text, hashlib.sha256).hexdigest()


def test_key_is_not_shown_and_tells_apps_apart() -> None:
    """Celery shares connections between apps whose options read alike."""
    assert "the key" not in repr(SIGNER)
    assert repr(SIGNER) == repr(Signer(b"the key")) != repr(Signer(b"another key"))
