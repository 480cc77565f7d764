"""From the word that names a model to how a request names it."""

import re
from collections.abc import Sequence
from typing import Any

from sizing.catalog.models import load_models

from .environment import HIDDEN
from .errors import UnreadableError

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
"""Source: Hugging Face Hub, names of repositories."""
_HUB = ("hf://", "huggingface://")
_MOST_SHOWN = 80


def hub_id(word: str) -> str | None:
    """The repository that ``word`` names; None where it names none."""
    bare = next((word.removeprefix(prefix) for prefix in _HUB if word.startswith(prefix)), word)
    bare = bare.partition(":")[0] if word.startswith(_HUB) else bare
    return bare if _HUB_ID.fullmatch(bare) and not bare.lower().endswith(".gguf") else None


def model_reference(word: str | None, revision: str | None, names: Sequence[str] = ()) -> dict[str, Any]:
    """How a request names the model that ``word`` names; ``names`` are those of the files at a path.

    Raises: UnreadableError.
    """
    if not word:
        raise UnreadableError(
            "no model is named; name it on the command line or in the annotation weighbridge.dev/model",
            reason="ModelNotNamed",
        )
    if HIDDEN in word or "$" in word:
        raise UnreadableError(
            f"the model is named by {word.replace(HIDDEN, '…')!r:.{_MOST_SHOWN}}, which is not at hand; "
            "name it in the annotation weighbridge.dev/model",
            reason="ReferenceNotAtHand",
        )
    found = hub_id(word)
    if found is None:
        found = next(filter(None, map(hub_id, names)), None)
    if found is None:
        raise UnreadableError(
            f"{word!r:.{_MOST_SHOWN}} is a place, not the name of a model; "
            "name the model in the annotation weighbridge.dev/model",
            reason="ModelIsPath",
        )
    return reference_to(found, revision)


def reference_to(repository: str, revision: str | None) -> dict[str, Any]:
    """How a request names ``repository``: by name where the catalogue has it, else as one of the hub."""
    if load_models().has(repository):
        return {"name": repository}
    return {"repo": repository, **({"revision": revision} if revision else {})}
