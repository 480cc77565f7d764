"""A site's folder, watched: what it says comes into force whole and tested, or not at all."""

import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

from .loader import RuleError
from .reload_status import ReloadStatus, read_status
from .site import check_files, site_files
from .trial import Trial, try_folder

_DRAFT = "draft-"

INTERVAL_SECONDS = 1.0
"""How often the folder is looked at."""

_LOOKS_BEFORE_RETRY = 60

_log = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Name, inode, size and time of change of every file."""


class BrokenRulesError(Exception):
    """The folder cannot be read as rules, and none that were in force before are kept."""


class SiteWatch:
    """Copies a site's folder whenever it changed, tries the copy in a process of its own, and puts it in force.

    The copy that was tried is the copy that is loaded, whatever happens to the folder meanwhile.  Nothing of the
    rule engine is loaded here, so that processes may be forked from the one that watches.
    """

    def __init__(self, folder: Path, home: Path, *, trial: Callable[[Path], Trial] = try_folder) -> None:
        self._folder = folder
        self._home = home
        self._try = trial
        self._seen: Fingerprint | None = None
        self._settled: Fingerprint | None = None
        self._looks = 0
        self._status: ReloadStatus | None = None

    @property
    def status(self) -> ReloadStatus | None:
        """What is in force, and whether the folder is broken; None before ``begin``."""
        return self._status

    def begin(self) -> ReloadStatus:
        """Puts the folder in force, or, where it is broken, what was in force when this last ran.

        Raises: BrokenRulesError when there is neither.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        self._settled = self._seen = _fingerprint(self._folder)
        fault = self._take_in()
        before = read_status(self._home)
        if fault is not None and before is not None and before.folder == str(self._folder):
            # Tried again: perhaps it was put in force by another release.
            self._put(before.in_force)
            self._refuse(fault)
        if self._status is None:
            raise BrokenRulesError(fault)
        return self._status

    def look(self) -> None:
        """Takes in what changed, once the folder was the same at two looks: it may be half written before."""
        now = _fingerprint(self._folder)
        is_still, self._seen = now == self._seen, now
        is_due = now != self._settled or self._is_worth_another_try()
        if is_still and is_due:
            self._settled, self._looks = now, 0
            self._take_in()

    def _is_worth_another_try(self) -> bool:
        """A trial also fails for want of time or memory, of which there may be more by and by."""
        self._looks += 1
        return self._status is not None and self._status.broken is not None and self._looks >= _LOOKS_BEFORE_RETRY

    def watch(self, stop: Event) -> Thread:
        """A thread that looks until ``stop`` is set."""

        def looking() -> None:
            while not stop.wait(INTERVAL_SECONDS):
                try:
                    self.look()
                except Exception:  # noqa: BLE001 - whatever goes wrong once, the next look may go well
                    _log.exception("the site's rules could not be looked at", extra={"action": "watch_rules"})

        thread = Thread(target=looking, name="site-rules", daemon=True)
        thread.start()
        return thread

    def _take_in(self) -> str | None:
        """Puts the folder in force as it is now; why not, where it cannot be."""
        try:
            check_files(self._folder)
            copy = self._copied()
        except (OSError, RuleError) as error:
            return self._refuse(str(error))
        before = self._status
        if before is not None and copy == before.in_force:
            self._note(replace(before, broken=None, broken_since=None))
            return None
        fault = self._put(copy)
        if fault is not None:
            shutil.rmtree(self._home / copy, ignore_errors=True)
            return self._refuse(fault)
        self._forget({copy, before.in_force if before else copy})
        return None

    def _put(self, copy: str) -> str | None:
        """Puts a copy in force; why not, where it fails its trial."""
        folder, before = self._home / copy, self._status
        trial = self._try(folder)
        if trial.version is None:
            return str(trial.fault).replace(str(folder), str(self._folder))
        self._note(
            ReloadStatus(
                folder=str(self._folder),
                in_force=copy,
                version=trial.version,
                rules=trial.rules,
                in_force_since=_now(),
                broken=None,
                broken_since=None,
                reloads=before.reloads + 1 if before else 0,
                failures=before.failures if before else 0,
            )
        )
        _log.info("rules %s are in force", trial.version, extra={"action": "reload_rules"})
        return None

    def _refuse(self, fault: str) -> str:
        before = self._status
        if before is not None and before.broken == fault:
            return fault
        kept = f"; {before.version} stays in force" if before else ""
        _log.error("the site's rules are broken%s: %s", kept, fault, extra={"action": "refuse_rules"})
        if before is not None:
            since = before.broken_since or _now()
            self._note(replace(before, broken=fault, broken_since=since, failures=before.failures + 1))
        return fault

    def _note(self, status: ReloadStatus) -> None:
        status.write(self._home)
        self._status = status

    def _copied(self) -> str:
        """The name of a copy of the folder's files, which is their digest."""
        told = {path.relative_to(self._folder): path.read_bytes() for path in site_files(self._folder)}
        digest = sha256(repr(sorted((str(name), data) for name, data in told.items())).encode()).hexdigest()[:32]
        draft = self._home / f"{_DRAFT}{os.getpid()}"
        if not (self._home / digest).is_dir():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            for name, data in told.items():
                (draft / name).parent.mkdir(parents=True, exist_ok=True)
                (draft / name).write_bytes(data)
            draft.rename(self._home / digest)
        return digest

    def _forget(self, kept: set[str]) -> None:
        """Removes copies but those that are, or a moment ago were, in force."""
        for copy in self._home.iterdir():
            if copy.is_dir() and copy.name not in kept:
                shutil.rmtree(copy, ignore_errors=True)


def _fingerprint(folder: Path) -> Fingerprint:
    found = []
    try:
        for path in site_files(folder):
            stat = path.stat()
            found.append((str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns))
    except OSError:
        return ()
    return tuple(found)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
