"""When a process that answers requests has served long enough, and another takes its place.

The rule engine is a C library, and what it may leak is given back that way.
"""

from pathlib import Path

MAX_REQUESTS = 10_000
"""Tasks, or entries of the stream, that one process answers."""
MAX_MEMORY_KIB = 400_000
"""Resident memory at its highest, in KiB, beyond which a process is not used any longer."""

_STATUS = Path("/proc/self/status")


def _highest_kib() -> int:
    """Resident memory of this program at its highest; 0 where the system does not tell.

    getrusage tells as much of the program that started this one, which would wear out the child of a large one.
    """
    try:
        return int(_STATUS.read_text(encoding="ascii").partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        return 0


def is_worn_out(requests: int) -> bool:
    """Whether this process, which answered so many requests, should make room for another.

    One that answered none is not: its successor would be as large, and nothing would be answered.
    """
    return requests >= MAX_REQUESTS or (requests > 0 and _highest_kib() > MAX_MEMORY_KIB)
