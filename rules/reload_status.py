"""Which rules are in force and whether a site's folder is broken: noted by a worker for its processes and people."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "status.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadStatus:
    """The state of a worker's rules."""

    folder: str
    """The site's folder."""
    in_force: str
    """The copy of it that answers are given by, whole and tested."""
    version: str
    """Version of the rule set in force."""
    rules: int
    in_force_since: str
    """When it came into force, in ISO 8601 and UTC."""
    broken: str | None
    """Why the folder as it is now is not in force; None when it is."""
    broken_since: str | None
    reloads: int = 0
    """How often a changed folder came into force."""
    failures: int = 0
    """How often a changed folder was refused."""

    def write(self, home: Path) -> None:
        """Notes it in the folder ``home``, whole or not at all."""
        draft = home / f"{FILE}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(home / FILE)


def read_status(home: Path) -> ReloadStatus | None:
    """What is noted in the folder ``home``; None when nothing is."""
    try:
        return ReloadStatus(**json.loads((home / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
