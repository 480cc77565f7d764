"""Folders below the model root, and what lies in wait there."""

import os
from pathlib import Path

import pytest

from checkpoints.folder import find, open_folder
from schemas.errors import InvalidRequestError, ModelUnreadableError, UnknownModelError, WeighbridgeError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A model root with one model, beside a folder that is none of anybody's business."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "config.json").write_text("{}")
    inside = tmp_path / "root"
    (inside / "org" / "model").mkdir(parents=True)
    (inside / "org" / "model" / "config.json").write_text("{}")
    return inside


@pytest.mark.parametrize("path", ["org/model", "./org/model", "org//model/", "."])
def test_folder_below_the_root_is_found(root: Path, path: str) -> None:
    """A path is relative to the root, however it is written."""
    assert find(root, path).folder == (root / path).resolve()


@pytest.mark.parametrize(
    "path",
    ["/etc", "..", "../outside", "org/../../outside", "org/model/../../..", "a\0b", "leads-out", "leads-out/deeper"],
)
def test_nothing_outside_the_root_is_found(root: Path, path: str) -> None:
    """Absolute paths, two points and links that leave the root are refused."""
    (root.parent / "outside" / "deeper").mkdir()
    (root / "leads-out").symlink_to(root.parent / "outside")
    with pytest.raises(InvalidRequestError) as told:
        find(root, path)
    assert told.value.field == "model.path"
    assert str(root) not in str(told.value.message)


@pytest.mark.parametrize("path", ["nothing", "org/model/nothing", "circle", "x" * 256])
def test_what_is_not_there_is_told(root: Path, path: str) -> None:
    """A name that nothing has, or a link to itself, is an unknown model."""
    (root / "circle").symlink_to(root / "circle")
    with pytest.raises(UnknownModelError) as told:
        find(root, path)
    assert str(root) not in f"{told.value.message} {told.value.hint}"


def test_a_root_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The variable is named that the operator has to mend."""
    with pytest.raises(ModelUnreadableError) as told:
        find(tmp_path / "gone", "model")
    assert "WEIGHBRIDGE_MODEL_ROOT" in (told.value.hint or "")


def test_a_file_is_no_folder_unless_it_is_a_gguf(root: Path) -> None:
    """Of files, only a GGUF can be named."""
    (root / "org" / "small.gguf").write_bytes(b"")
    place = find(root, "org/small.gguf")
    assert (place.folder, place.chosen) == ((root / "org").resolve(), "small.gguf")
    with pytest.raises(ModelUnreadableError, match="neither a folder nor a GGUF file"):
        find(root, "org/model/config.json")


def test_links_are_followed_only_below_the_root(root: Path) -> None:
    """A download cache links its files within itself; a link that leads out is not there."""
    model = root / "org" / "model"
    (root / "blob").write_bytes(b"0123456789")
    (model / "model.safetensors").symlink_to(root / "blob")
    (model / "secret.json").symlink_to(root.parent / "outside" / "config.json")
    (model / "gone.json").symlink_to(root / "gone")
    files = open_folder(root, model)
    assert files.sizes == {"config.json": 2, "model.safetensors": 10}
    assert files.read("model.safetensors", 2, 4) == b"2345"
    assert files.read("model.safetensors", 8, 4) == b"89"


def test_only_regular_files_are_there(root: Path) -> None:
    """Pipes, folders and devices are no files of a model."""
    model = root / "org" / "model"
    os.mkfifo(model / "pipe.safetensors")
    (model / "folder.gguf").mkdir()
    (model / "null.json").symlink_to("/dev/null")
    assert set(open_folder(root, model).sizes) == {"config.json"}


@pytest.mark.parametrize("becomes", ["pipe", "link out", "gone"])
def test_a_file_that_changes_after_the_look_is_neither_opened_nor_waited_for(root: Path, becomes: str) -> None:
    """What is a pipe, a link out of the root or gone by the time it is opened is refused at once."""
    model = root / "org" / "model"
    files = open_folder(root, model)
    (model / "config.json").unlink()
    if becomes == "pipe":
        os.mkfifo(model / "config.json")
    elif becomes == "link out":
        (model / "config.json").symlink_to(root.parent / "outside" / "config.json")
    with pytest.raises(WeighbridgeError) as told:
        files.read("config.json", 0, 2)
    assert told.value.field == "model.path"
