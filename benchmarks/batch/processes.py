"""What processes use, read from /proc: processor time, and memory at its highest."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
MIB = 2**20


def family(pid: int) -> Iterator[int]:
    """The process and all that descend from it."""
    yield pid
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = path.read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def cpu_seconds(pid: int) -> float:
    """Processor time of a family until now, with that of its members that ended and were waited for."""
    ticks = 0
    for each in family(pid):
        try:
            fields = Path(f"/proc/{each}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        # man 5 proc: utime, stime, cutime and cstime are the 14th to 17th field, of which two come before.
        ticks += sum(map(int, fields[11:15]))
    return ticks / TICKS_A_SECOND


def highest_mib(pid: int) -> dict[int, float]:
    """Resident memory at its highest of each live member of a family, in MiB."""
    found = {}
    for each in family(pid):
        try:
            status = Path(f"/proc/{each}/status").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        if kib := status.partition("VmHWM:")[2].split():
            found[each] = int(kib[0]) * 1024 / MIB
    return found
