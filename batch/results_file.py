"""The results of a batch as JSON Lines: appended as they come, and at the same time the record of what is done."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from schemas.errors import WeighbridgeError

from .line import outcome
from .tally import Tally


class UnwritableResultsError(WeighbridgeError):
    """The results cannot be written where they should go."""

    code = "unavailable"


class ResultsFile:
    """A results file that is being written; one that was left in the middle is gone on with.

    Each cell has one line at most.  A line that was not written whole, or whatever stands behind it, counts for
    nothing: its cells are asked again.
    """

    def __init__(self, path: Path, total: int) -> None:
        self.path = path
        self.tally = Tally()
        self._done = bytearray(total)
        try:
            self._file = path.open("a+b")
        except OSError as error:
            raise UnwritableResultsError(f"{path}: {error.strerror}", hint="name a file that can be written") from None
        self._go_on()

    def _go_on(self) -> None:
        whole = 0
        self._file.seek(0)
        for line in self._file:
            told = outcome(line.decode(errors="replace"))
            if told is None or told.cell >= len(self._done) or self._done[told.cell]:
                break
            self._done[told.cell] = True
            self.tally.add(told)
            whole += len(line)
        self._file.truncate(whole)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the file back; what could not be written was told when it was to be."""
        with suppress(OSError):
            self._file.close()

    def has(self, cell: int) -> bool:
        """Whether that cell is answered."""
        return bool(self._done[cell])

    def add(self, cell: int, line: str) -> None:
        """Appends the line of a cell that has none.

        Raises: UnwritableResultsError; ValueError where it is no line.
        """
        told = outcome(line)
        if told is None or told.cell != cell:
            raise ValueError(f"no line of cell {cell}: {line[:200]}")
        try:
            self._file.write(line.encode())
        except OSError as error:
            raise self._unwritable(error) from None
        self._done[cell] = True
        self.tally.add(told)

    def flush(self) -> None:
        """Has all lines with the system, so that the end of this process loses none.

        Raises: UnwritableResultsError.
        """
        try:
            self._file.flush()
        except OSError as error:
            raise self._unwritable(error) from None

    def sync(self) -> None:
        """Has all lines on the disk, so that the end of this machine loses none.

        Raises: UnwritableResultsError.
        """
        self.flush()
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> "UnwritableResultsError":
        return UnwritableResultsError(f"{self.path}: {error.strerror}", hint="make room, and resume the batch")
