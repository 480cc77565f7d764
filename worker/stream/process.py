"""A process on the stream of requests as a child that can be asked to stop."""

import sys
from collections.abc import Sequence
from typing import IO, ClassVar

from ..process import WorkerProcess
from ..settings import Settings


class StreamProcess(WorkerProcess):
    """One of a worker's processes on the stream; it ends with this one."""

    command: ClassVar[Sequence[str]] = (sys.executable, "-P", "-m", "worker.stream")

    def __init__(self, settings: Settings, url: str, number: int, *, log: IO[bytes] | None = None) -> None:
        super().__init__(settings, url, log=log)
        self._number = number

    def _command_line(self) -> Sequence[str]:
        return (*self.command, str(self._number))
