"""Repositories of a hub, read from a server on this machine."""

import logging
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from checkpoints import hub as reading
from checkpoints.reader import Reader
from checkpoints.sources import Sources
from schemas.errors import (
    InvalidRequestError,
    ModelUnreadableError,
    UnavailableError,
    UnknownModelError,
    WeighbridgeError,
)
from schemas.parse import parse_request
from sizing.checkpoint import Checkpoint

from .laying import LLAMA_31_8B, SMALL, bytes_of, lay, llama, small
from .loopback import Hub, serving
from .test_gguf import LLAMA, llama_q4_k_m, write
from .test_gguf import bytes_of as gguf_bytes
from .test_reading import total

TOKEN = "hf_loopback"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with two small repositories, one of them gated, and nobody's token."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    lay(tmp_path / "small", SMALL, small())
    lay(tmp_path / "closed", SMALL, small())
    repositories = {"org/small": tmp_path / "small", "org/closed": tmp_path / "closed"}
    with serving(Hub(repositories=repositories, gated=frozenset({"org/closed"}))) as served:
        point_at(monkeypatch, served.url)
        yield served


def point_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Makes the client use the hub at ``url``, as HF_ENDPOINT does for a process that starts with it."""
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(huggingface_hub.constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


def read(repo: str, revision: str | None = None, **fields: object) -> Checkpoint:
    """The checkpoint in ``repo``."""
    model = {"repo": repo} if revision is None else {"repo": repo, "revision": revision}
    request = parse_request({"model": model, **fields})
    (found,) = Reader(Sources(hub="on")).read(request).values()
    return found


def test_headers_are_all_that_is_fetched(hub: Hub, tmp_path: Path) -> None:
    """Of 16 GB in four shards, the beginnings are asked for by range, and the small files are fetched."""
    hub.repositories["org/llama"] = lay(tmp_path / "llama", LLAMA_31_8B, llama(), shards=4)
    found = read("org/llama")
    assert total(found) == bytes_of(llama())
    assert (found.name, found.storage.evidence) == ("org/llama", "header")
    shards = {name: size for name, size in hub.sent.items() if name.endswith(".safetensors")}
    assert len(shards) == 4
    assert max(shards.values()) <= 2**17
    assert set(hub.sent) - set(shards) == {"config.json", "model.safetensors.index.json"}


def test_a_long_header_takes_a_second_range(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not fit into the first range is asked for by itself."""
    monkeypatch.setattr("checkpoints.safetensors.FIRST_READ_BYTES", 1000)
    hub.repositories["org/long"] = lay(tmp_path / "llama", LLAMA_31_8B, llama())
    assert total(read("org/long")) == bytes_of(llama())
    header = (tmp_path / "llama" / "model.safetensors").stat().st_size - bytes_of(llama())
    assert hub.sent["model.safetensors"] == header


def test_gguf_headers_are_fetched_by_range(hub: Hub, tmp_path: Path) -> None:
    """Of a repository of quantizations, the one of the asked format is read, and of it the header."""
    folder = tmp_path / "gguf"
    folder.mkdir()
    for name in ("Llama-Q4_K_M.gguf", "Llama-Q8_0.gguf"):
        write(folder / name, "llama", {**LLAMA, "general.file_type": 15}, llama_q4_k_m())
    hub.repositories["org/gguf"] = folder
    with pytest.raises(ModelUnreadableError, match="several GGUF models"):
        read("org/gguf")
    assert total(read("org/gguf", weight_format="gguf:q4_k_m")) == gguf_bytes(llama_q4_k_m())
    assert set(hub.sent) == {"Llama-Q4_K_M.gguf"}
    assert hub.sent["Llama-Q4_K_M.gguf"] <= 2**20


def test_a_hub_that_sends_whole_files_is_not_listened_to(hub: Hub, tmp_path: Path) -> None:
    """A server that does not know ranges costs no more than the beginning of its file."""
    hub.sends_whole_files = True
    hub.repositories["org/whole"] = lay(tmp_path / "llama", LLAMA_31_8B, llama())
    assert total(read("org/whole")) == bytes_of(llama())
    assert hub.sent["model.safetensors"] < 2**26


def test_a_commit_is_read_once(hub: Hub, tmp_path: Path) -> None:
    """Headers of a commit cannot change: the second time the hub is only asked which commit it is."""
    hub.repositories["org/again"] = lay(tmp_path / "again", SMALL, small())
    first = read("org/again")
    hub.sent.clear()
    assert read("org/again") is first
    assert hub.sent == {}


@pytest.mark.usefixtures("hub")
def test_revisions_are_honoured() -> None:
    """A branch, tag or commit that the repository has is read; another is told."""
    assert total(read("org/small", "v1")) == bytes_of(small())
    with pytest.raises(UnknownModelError) as told:
        read("org/small", "v2")
    assert told.value.field == "model.revision"


def test_the_token_is_sent_and_not_shown(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """HF_TOKEN opens what is closed; neither errors nor logs have it."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ModelUnreadableError, match="open only to those it has let in") as told:
        read("org/closed")
    assert "HF_TOKEN" in (told.value.hint or "")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert total(read("org/closed")) == bytes_of(small())
    assert f"Bearer {TOKEN}" in hub.tokens
    hub.status = 500
    with pytest.raises(UnavailableError) as away:
        read("org/closed")
    assert TOKEN not in caplog.text + str(away.value) + str(away.value.hint)


@pytest.mark.parametrize(
    ("repo", "error", "field"),
    [
        ("org/nothing", UnknownModelError, "model.repo"),
        ("../../etc", InvalidRequestError, "model.repo"),
        ("a/b/c", InvalidRequestError, "model.repo"),
        ("org/sm all", InvalidRequestError, "model.repo"),
        ("org--x/small", InvalidRequestError, "model.repo"),
    ],
)
def test_what_is_no_repository_is_told(hub: Hub, repo: str, error: type[WeighbridgeError], field: str) -> None:
    """A name that no repository has, and one that none could have."""
    with pytest.raises(error) as told:
        read(repo)
    assert told.value.field == field
    assert hub.url not in f"{told.value.message} {told.value.hint}"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_in_trouble_is_unavailable(hub: Hub, status: int) -> None:
    """What may pass is told as such, and nothing is remembered of it."""
    hub.status = status
    with pytest.raises(UnavailableError, match=f"status {status}"):
        read("org/small")
    hub.status = 0
    assert total(read("org/small")) == bytes_of(small())


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "nonsense", "http://user:hunter2@127.0.0.1:1"])
def test_no_hub_is_unavailable(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    """A hub that cannot be reached is told without its address, which may hold a password."""
    point_at(monkeypatch, endpoint)
    with pytest.raises(UnavailableError) as told:
        read("org/small")
    assert "hunter2" not in str(told.value) + str(told.value.hint)
    assert "HF_ENDPOINT" in (told.value.hint or "")


def test_a_hub_that_stalls_is_not_waited_for(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read takes no longer than it may."""
    monkeypatch.setattr(reading, "READ_SECONDS", 0.0)
    hub.sends_whole_files = True
    with pytest.raises(UnavailableError, match="sent too slowly"):
        reading.open_repository("org/small", None).read("model.safetensors", 0, 2**30)


def test_no_repository_is_read_unless_it_is_switched_on() -> None:
    """Without WEIGHBRIDGE_HUB nothing leaves this machine."""
    with pytest.raises(InvalidRequestError) as told:
        Reader(Sources()).read(parse_request({"model": {"repo": "org/small"}}))
    assert "WEIGHBRIDGE_HUB" in (told.value.hint or "")
