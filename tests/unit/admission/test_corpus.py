"""What is read of the manifests in ``tests/data/manifests``."""

import pytest

from admission.manifest.read import read
from schemas.parse import parse_request

from .corpus import EXPECTED, FOLDER, NAMES, manifest


def test_every_manifest_is_in_the_table_and_names_its_source() -> None:
    """There are at least 60, each with an expectation and the document it was written from."""
    assert sorted(EXPECTED) == NAMES
    assert len(NAMES) >= 60
    assert not [name for name in NAMES if not (FOLDER / name).read_text().startswith("# source: ")]


@pytest.mark.parametrize("name", NAMES)
def test_manifest_is_read_as_expected(name: str) -> None:
    """Its servers become exactly these requests, in order, and what cannot be read has these reasons."""
    expected, reading = EXPECTED[name], read(*manifest(name))
    assert [server.request for server in reading.servers] == expected.get("servers", [])
    assert [each.reason for each in reading.unreadable] == expected.get("unreadable", [])
    assert reading.bypass == expected.get("bypass")


@pytest.mark.parametrize("name", [name for name in NAMES if "assumed" in EXPECTED[name]])
def test_what_is_taken_for_granted_is_said(name: str) -> None:
    """Every server of it says what the table names."""
    for server in read(*manifest(name)).servers:
        for words in EXPECTED[name]["assumed"]:
            assert any(sentence.startswith(words) for sentence in server.assumed), server.assumed


@pytest.mark.parametrize("name", [name for name in NAMES if "containers" in EXPECTED[name]])
def test_place_of_a_server_is_told(name: str) -> None:
    """It is the path of the container that the table names."""
    assert [server.container for server in read(*manifest(name)).servers] == EXPECTED[name]["containers"]


@pytest.mark.parametrize("name", [name for name in NAMES if EXPECTED[name].get("servers")])
def test_expected_requests_are_requests(name: str) -> None:
    """Each of the table's parses as one."""
    for request in EXPECTED[name]["servers"]:
        parse_request(request)


@pytest.mark.parametrize("name", [name for name in NAMES if EXPECTED[name].get("unreadable")])
def test_unreadable_says_what_to_do(name: str) -> None:
    """Its code is one that stands for no answer, and its message is a sentence."""
    for each in read(*manifest(name)).unreadable:
        assert each.code in ("unknown_model", "invalid")
        assert len(each.message.split()) > 3
