"""How far a batch has come."""

import pytest

from batch import progress as progress_module
from batch.folder import BatchNote
from batch.line import Outcome
from batch.progress import Progress
from batch.tally import Tally

NOTE = BatchNote(batch="b", catalog="c.yaml", created="2026-11-26T00:00:00+00:00", total=100, results="r", local=False)


class Clock:
    """A clock that stands still until it is told."""

    now = 1000.0

    def monotonic(self) -> float:
        """As told."""
        return self.now

    def time(self) -> float:
        """Likewise."""
        return self.now + 1_700_000_000


def test_rate_and_time_left_are_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten cells a second for two seconds, nothing for long, then five a second."""
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    tally = Tally()
    progress = Progress(note=NOTE, tally=tally)
    assert progress.is_due()
    assert progress.look().cells_per_second == 0
    assert progress.look().seconds_left is None
    assert not progress.is_due()

    def answer(cells: int, code: str | None = None) -> None:
        for _ in range(cells):
            verdict = None if code else "fits"
            tally.add(Outcome(cell=0, weight_format="fp8", verdict=verdict, code=code, versions=None))

    clock.now += 2
    answer(18)
    answer(2, code="unknown_gpu")
    looked = progress.look()
    assert (looked.cells_per_second, looked.seconds_left, looked.seconds) == (10.0, 8, 2)
    assert (looked.done, looked.errors, looked.verdicts["fits"], looked.state) == (20, 2, 18, "running")
    clock.now += 60
    progress.look()
    clock.now += 4
    answer(20)
    assert progress.look(trouble="the server is away").state == "waiting"
    assert progress.look().cells_per_second == 5.0
    assert progress.end().state == "stopped"
    answer(60)
    assert progress.end().state == "finished"
    assert progress.end().at == int(clock.time())
