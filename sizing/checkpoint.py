"""A model that was read from its own files."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from schemas.request import Model as ModelReference
from schemas.request import ModelByPath, ModelByRepo

from .model import Model
from .storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Checkpoint:
    """A model, and how the files it was read from store it."""

    name: str
    """What the request calls it."""
    model: Model
    storage: Storage


Reference = ModelByPath | ModelByRepo
"""How a request names a model that has to be read first."""
Checkpoints = Mapping[Reference, Checkpoint]
"""What was read, by what names it."""
NOTHING_READ: Checkpoints = MappingProxyType({})


def checkpoint_of(asked: ModelReference, checkpoints: Checkpoints) -> Checkpoint | None:
    """The checkpoint that ``asked`` names; None where it describes a model itself, or was not read."""
    return checkpoints.get(asked) if isinstance(asked, ModelByPath | ModelByRepo) else None
