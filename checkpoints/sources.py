"""Where models may be read from, as an operator sets it in the environment."""

from pathlib import Path
from typing import Literal

from schemas.environment import FromEnvironment


class Sources(FromEnvironment):
    """What a request may name beside the catalogue's models; nothing unless it is set."""

    model_root: Path | None = None
    """Folder that ``model.path`` is below; null means that no path is read."""
    hub: Literal["off", "on"] = "off"
    """Whether ``model.repo`` is read from the hub; HF_ENDPOINT and HF_TOKEN say which and as whom."""


PREFIX = Sources.prefix
"""How the variables of all that is no front door begin."""

NO_SOURCES = Sources()
"""The catalogue alone."""
