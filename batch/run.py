"""Running a batch to its end: lists out, answers in, nothing lost and nothing twice, in bounded memory."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from uuid import uuid4

from schemas.errors import QueueFullError, UnavailableError

from .cells import cells
from .crew import Crew, Handed
from .line import answered, is_internal
from .lists import Asked, CellList, Refused, grouped, prepared
from .plan import Plan
from .results_file import ResultsFile

TAKE_SECONDS = 0.25
"""Longest wait for answers, so that lists go out and progress is told meanwhile."""
AWAY_SECONDS = 1.0
"""Pause before a server that is away is tried again."""
RESEND_SECONDS = 30.0
"""A list not answered for this long is sent again, and then after twice as long each time."""
MOST_DOUBLINGS = 4


@dataclass(kw_only=True)
class Run:
    """One run of a batch, from where its results stand."""

    plan: Plan
    crew: Crew
    results: ResultsFile
    tell: Callable[[str | None], None]
    """Told again and again while it runs, with why nothing goes on, if nothing does."""
    patience_seconds: float = 600.0
    """How long a server may be away, or no answer come."""
    resend_seconds: float = RESEND_SECONDS
    _lists: dict[str, CellList] = field(default_factory=dict, init=False)
    """Sent and not answered yet."""
    _of_cell: dict[int, CellList] = field(default_factory=dict, init=False)
    _alone: deque[Asked] = field(default_factory=deque, init=False)
    """Cells that failed with their list, and are asked again by themselves."""
    _full: QueueFullError | None = field(default=None, init=False)
    """Why no requests are taken at the moment."""
    _full_until: float = field(default=0.0, init=False)
    _ids: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        own = uuid4().hex
        self._ids = (f"batch-{own}-{number}" for number in count())

    def finish(self) -> None:
        """Goes on until every cell is answered.

        Raises: UnavailableError or QueueFullError when the patience is over, with all that came until then written;
        UnwritableResultsError.
        """
        lists = self._new_lists()
        heard = time.monotonic()
        while True:
            trouble: UnavailableError | QueueFullError | None
            try:
                more = self._send(lists)
                trouble = self._full
                if not self._lists and not more:
                    self.results.sync()
                    return
                if self._accept(self.crew.take(TAKE_SECONDS)):
                    heard = time.monotonic()
            except UnavailableError as error:
                trouble = error
                # What it was sent last it may have lost; what it has not is answered twice, and written once.
                for each in self._lists.values():
                    each.due = 0.0
                time.sleep(AWAY_SECONDS)
            if time.monotonic() - heard > self.patience_seconds:
                raise trouble or UnavailableError(
                    f"no answer came for {self.patience_seconds:.0f} s",
                    hint="`weighbridge status` says what waits and who works, `weighbridge dead list` what failed",
                )
            self.tell(None if trouble is None else trouble.message)

    def _new_lists(self) -> Iterator[CellList]:
        """What is not asked yet, in lists; what cannot be asked is answered on the way."""
        for group in grouped(self._askable()):
            yield CellList(next(self._ids), group)

    def _askable(self) -> Iterator[Asked]:
        missing = (cell for cell in cells(self.plan) if not self.results.has(cell.number))
        for each in prepared(missing):
            match each:
                case Asked() as asked:
                    yield asked
                case Refused(cell=cell, head=begin, error=error):
                    self.results.add(cell, f"{begin}{error.model_dump_json()}}}\n")

    def _send(self, lists: Iterator[CellList]) -> bool:
        """Sends what there is room for; whether there is more to send.

        Raises: UnavailableError.
        """
        now = time.monotonic()
        if now < self._full_until:
            return True
        self._full = None
        try:
            for each in [each for each in self._lists.values() if each.due <= now]:
                self._send_one(each)
            while len(self._lists) < self.crew.room():
                following = self._following(lists)
                if following is None:
                    return False
                # Noted before it is sent: where it is not known whether it was, it is sent again.
                self._lists[following.list_id] = following
                self._of_cell.update(dict.fromkeys(following.open, following))
                self._send_one(following)
        except QueueFullError as error:
            self._full, self._full_until = error, now + error.retry_after_seconds
        return True

    def _following(self, lists: Iterator[CellList]) -> CellList | None:
        if self._alone:
            return CellList(next(self._ids), [self._alone.popleft()])
        return next(lists, None)

    def _send_one(self, each: CellList) -> None:
        self.crew.send(each.list_id, each.requests)
        each.due = time.monotonic() + self.resend_seconds * 2 ** min(each.sent, MOST_DOUBLINGS)
        each.sent += 1

    def _accept(self, handed: Sequence[Handed]) -> bool:
        """Writes what answers cells that have none; whether there was anything."""
        for each in handed:
            for answer in each.answers:
                self._accept_one(answer, alone=each.alone)
        self.results.flush()
        return bool(handed)

    def _accept_one(self, answer: str, *, alone: bool) -> None:
        number = answered(answer)
        asked_in = None if number is None else self._of_cell.get(number)
        if number is None or asked_in is None:
            return  # it came a second time
        failed_with_others = is_internal(answer) and not alone
        if failed_with_others and len(asked_in.asked) == 1:
            return  # so did this: the cell is being asked alone already
        del self._of_cell[number]
        asked = asked_in.open.pop(number)
        if not asked_in.open:
            self._lists.pop(asked_in.list_id)
        if failed_with_others:
            self._alone.append(asked)
        else:
            self.results.add(number, f"{asked.head}{answer}}}\n")
