"""Where a batch is kept, so that it can be gone on with: its plan, what it is, and how far its results have come."""

import fcntl
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from schemas.closed import Closed
from schemas.errors import InvalidRequestError

from .plan import Plan

_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}\Z")


class BatchNote(Closed):
    """What is noted of a batch when it begins."""

    batch: str
    catalog: str
    """Name of the catalogue file."""
    created: str
    """When, in ISO 8601 and UTC."""
    total: int
    """Cells."""
    results: str
    """The results file."""
    local: bool
    """Whether it is weighed by this machine's processes, without a queue."""


@dataclass(frozen=True, kw_only=True)
class BatchFolder:
    """One batch below the home folder."""

    path: Path
    note: BatchNote
    plan: Plan

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else runs the batch during the block.

        Raises: InvalidRequestError where another does.
        """
        with (self.path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InvalidRequestError(
                    f"{self.note.batch} is run by another process", hint="`weighbridge status` says how far it is"
                ) from None
            yield


def create(home: Path, plan: Plan, *, catalog: str, total: int, results: Path | None, local: bool) -> BatchFolder:
    """A new batch below ``home``, under an id that sorts by time.

    Raises: InvalidRequestError where the results file is there already.
    """
    now = datetime.now(UTC)
    batch = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    path = home / "batches" / batch
    written = (results or path / "results.jsonl").absolute()
    if written.exists() and written.stat().st_size:
        raise InvalidRequestError(
            f"{written} holds something already", hint="name another file, or resume the batch that it belongs to"
        )
    path.mkdir(parents=True, mode=0o700)
    note = BatchNote(
        batch=batch,
        catalog=catalog,
        created=now.isoformat(timespec="seconds"),
        total=total,
        results=str(written),
        local=local,
    )
    (path / "plan.json").write_text(plan.model_dump_json(), encoding="utf-8")
    # Last: a folder with it is whole.
    draft = path / "batch.draft"
    draft.write_text(note.model_dump_json(), encoding="utf-8")
    draft.replace(path / "batch.json")
    return BatchFolder(path=path, note=note, plan=plan)


def open_batch(home: Path, batch: str) -> BatchFolder:
    """The batch of that id.

    Raises: InvalidRequestError naming the newest, where there is no such batch.
    """
    path = home / "batches" / batch
    if _ID.match(batch):
        try:
            note = BatchNote.model_validate_json((path / "batch.json").read_bytes())
            plan = Plan.model_validate_json((path / "plan.json").read_bytes())
        except OSError:
            pass
        except ValidationError:
            raise InvalidRequestError(
                f"{path} was made by a version of Weighbridge that this one cannot go on from",
                hint="resume it with that version, or begin anew",
            ) from None
        else:
            return BatchFolder(path=path, note=note, plan=plan)
    newest = ", ".join(note.batch for note in batches(home)[:3])
    raise InvalidRequestError(
        f"there is no batch {batch!r} below {home}", hint=f"the newest are {newest}" if newest else "none was begun"
    )


def batches(home: Path) -> list[BatchNote]:
    """What is noted of each batch below ``home``, the newest first."""
    notes: list[BatchNote] = []
    for path in sorted((home / "batches").glob("*/batch.json"), reverse=True):
        try:
            notes.append(BatchNote.model_validate_json(path.read_bytes()))
        except (OSError, ValueError):
            continue
    return notes


def results_of(home: Path, named: str) -> Path:
    """The results file that ``named`` means: a file, or the id of a batch.

    Raises: InvalidRequestError.
    """
    if _ID.match(named) and not Path(named).exists():
        return Path(open_batch(home, named).note.results)
    if not Path(named).is_file():
        raise InvalidRequestError(f"{named}: no such file, and no id of a batch", hint="`weighbridge batch list`")
    return Path(named)
