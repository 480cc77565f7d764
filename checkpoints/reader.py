"""The models that requests name by path or repository, read when first asked for and when they change."""

from functools import lru_cache

from schemas.errors import InvalidRequestError
from schemas.request import Model, ModelByConfig, ModelByPath, ModelByRepo, SizingRequest
from schemas.vocabulary import WeightFormat
from sizing.catalog.formats import load_formats
from sizing.checkpoint import Checkpoint, Checkpoints, Reference
from sizing.resolve import model_of_config

from . import folder, hub
from .reading import gguf_model, read_checkpoint
from .sources import Sources

KEPT = 64
"""Checkpoints a process remembers of each kind."""


class Reader:
    """Reads what ``sources`` allow."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def read(self, request: SizingRequest) -> Checkpoints:
        """The checkpoints that ``request`` names, by what names them: its model and its draft may be one.

        Raises: InvalidRequestError, UnknownModelError, ModelUnreadableError, UnsupportedArchitectureError,
        UnavailableError.
        """
        named: list[tuple[Model, WeightFormat | None]] = [(request.model, request.weight_format)]
        if request.speculative and request.speculative.draft_model:
            named.append((request.speculative.draft_model, None))
        found: dict[Reference, Checkpoint] = {}
        for model, weight_format in named:
            match model:
                case ModelByPath(path=path):
                    found[model] = self._of_path(path, weight_format)
                case ModelByRepo(repo=repo, revision=revision):
                    found[model] = self._of_repo(repo, revision, weight_format)
                case ModelByConfig():
                    # Read here what is read once anyway: a config that cannot be is not tried on every GPU.
                    model_of_config(model)
        return found

    def _of_path(self, path: str, weight_format: WeightFormat | None) -> Checkpoint:
        root = self._sources.model_root
        if root is None:
            raise InvalidRequestError(
                "model.path: no folder of models is set up here",
                field="model.path",
                hint="set WEIGHBRIDGE_MODEL_ROOT to the folder that paths are below, or send model.config",
            )
        place = folder.find(root, path)
        found = folder.open_folder(root, place.folder)
        return _read_folder(path, found, place.chosen or gguf_model(found, weight_format))

    def _of_repo(self, repo: str, revision: str | None, weight_format: WeightFormat | None) -> Checkpoint:
        if self._sources.hub == "off":
            raise InvalidRequestError(
                "model.repo: reading from a hub is not switched on here",
                field="model.repo",
                hint="set WEIGHBRIDGE_HUB to on, or send model.config",
            )
        found = hub.open_repository(repo, revision)
        return _read_repository(found, gguf_model(found, weight_format))


@lru_cache(maxsize=KEPT)
def _read_folder(path: str, files: folder.Folder, gguf: str | None) -> Checkpoint:
    return read_checkpoint(path, files, load_formats(), gguf)


@lru_cache(maxsize=KEPT)
def _read_repository(files: hub.Repository, gguf: str | None) -> Checkpoint:
    return read_checkpoint(files.repo, files, load_formats(), gguf)
