"""The rules in force in one process: ours alone, or with the copy of a site's folder last put in force."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from checkpoints.sources import NO_SOURCES, Sources

from .loader import RuleError
from .recommend import Recommender, packaged
from .reload_status import FILE, read_status
from .site import load_with_site

INTERVAL_SECONDS = 1.0
"""How often a process asks whether other rules came into force; between two requests it is one look at a file."""

_log = logging.getLogger(__name__)


class RulesInForce:
    """What answers requests in this process; to be asked for before each of them.

    It is for one thread: rules are exchanged between two requests, never during one.
    """

    def __init__(
        self, home: Path | None, sources: Sources = NO_SOURCES, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._home = home
        self._sources = sources
        self._clock = clock
        self._looked = float("-inf")
        self._stamp: tuple[int, int] | None = None
        self._copy: str | None = None
        self._recommender: Recommender | None = None

    def recommender(self) -> Recommender:
        """The recommender with the rules in force."""
        if self._home is None:
            return packaged(self._sources)
        now = self._clock()
        if now - self._looked >= INTERVAL_SECONDS:
            self._looked = now
            self._keep_up(self._home)
        if self._recommender is None:
            raise RuntimeError(f"no rules are in force in {self._home}")
        return self._recommender

    def _keep_up(self, home: Path) -> None:
        try:
            stat = (home / FILE).stat()
        except OSError:
            return
        stamp = (stat.st_ino, stat.st_mtime_ns)
        if stamp == self._stamp:
            return
        status = read_status(home)
        if status is None or status.in_force == self._copy:
            self._stamp = stamp if status else None
            return
        try:
            rule_set = load_with_site(home / status.in_force)
        except (OSError, RuleError):
            # The copy was loaded and tested before it was put in force, so that only the machine can be at fault.
            _log.exception("rules in force could not be loaded", extra={"action": "load_rules"})
            return
        before, self._recommender = self._recommender, packaged(self._sources).ruled_by(rule_set)
        self._stamp, self._copy = stamp, status.in_force
        if before is not None:
            before.close()
