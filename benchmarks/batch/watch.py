"""Watching one batch from outside: how fast its results grow, and what its processes use."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .processes import cpu_seconds, highest_mib

LOOK_SECONDS = 0.25


@dataclass(kw_only=True)
class Watched:
    """What was seen."""

    seconds: float = 0.0
    """From the command to its end."""
    lines: list[tuple[float, int]] = field(default_factory=list)
    """When, since the first line, there were how many."""
    cpu: dict[str, float] = field(default_factory=dict)
    """Processor seconds by who used them."""
    highest: dict[str, float] = field(default_factory=dict)
    """Memory at its highest, in MiB, of the largest process of each."""

    @property
    def cells(self) -> int:
        """Lines in the end."""
        return self.lines[-1][1]

    def rate(self, begin: float, end: float) -> float:
        """Cells a second between two shares of all cells."""
        first, last = (self._when(share) for share in (begin, end))
        return self.cells * (end - begin) / (last - first)

    def _when(self, share: float) -> float:
        """When that share was reached, between two looks."""
        wanted = share * self.cells
        before = (0.0, 0)
        for now, count in self.lines:
            if count >= wanted:
                if count == before[1]:
                    return now
                return before[0] + (now - before[0]) * (wanted - before[1]) / (count - before[1])
            before = (now, count)
        return before[0]


def watch(command: Sequence[str], environment: Mapping[str, str], results: Path, others: Mapping[str, int]) -> Watched:
    """Runs ``command`` until it ends, and looks at it and at the processes of ``others``."""
    seen = Watched()
    before = {name: cpu_seconds(pid) for name, pid in others.items()}
    began = time.monotonic()
    with subprocess.Popen(command, env=dict(environment), stdout=subprocess.DEVNULL) as batch:
        everybody = {"client": batch.pid, **others}
        count, begin, offset = 0, 0.0, 0
        while batch.poll() is None:
            time.sleep(LOOK_SECONDS)
            more, offset = _new_lines(results, offset)
            if more:
                begin = begin or time.monotonic()
                count += more
                seen.lines.append((time.monotonic() - begin, count))
            for name, pid in everybody.items():
                if memory := highest_mib(pid):
                    seen.highest[name] = max(seen.highest.get(name, 0.0), *memory.values())
                seen.cpu[name] = max(seen.cpu.get(name, 0.0), cpu_seconds(pid) - before.get(name, 0.0))
        if batch.returncode:
            raise SystemExit(f"the batch ended with status {batch.returncode}")
    seen.seconds = time.monotonic() - began
    more, _ = _new_lines(results, offset)
    if more:
        seen.lines.append((time.monotonic() - begin, count + more))
    return seen


def _new_lines(results: Path, offset: int) -> tuple[int, int]:
    """How many lines were added behind ``offset``, and where the file ends now."""
    if not results.exists():
        return 0, offset
    count = 0
    with results.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(2**20):
            count += chunk.count(b"\n")
            offset += len(chunk)
    return count, offset
