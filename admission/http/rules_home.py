"""Where the front door keeps the site's rules that are in force."""

from pathlib import Path

from worker.settings import Settings


def rules_home(settings: Settings) -> Path:
    """A folder of its own: a worker of the same name on the same machine watches the same rules for itself."""
    return settings.home / "rules" / f"{settings.worker_name}.serve"
