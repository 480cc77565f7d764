"""When a process that answers requests has served long enough, and another takes its place.

The rule engine is a C library, and what it may leak is given back that way.
"""

import resource

MAX_REQUESTS = 10_000
"""Tasks, or entries of the stream, that one process answers."""
MAX_MEMORY_KIB = 400_000
"""Resident memory at its highest, in KiB, beyond which a process is not used any longer."""


def _highest_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


_INHERITED_KIB = _highest_kib()
"""Linux counts what the program that started this one had in memory, which would wear out the child of a large one."""


def is_worn_out(requests: int) -> bool:
    """Whether this process, which answered so many requests, should make room for another.

    One that answered none is not: its successor would be as large, and nothing would be answered.
    """
    is_too_large = _highest_kib() > max(MAX_MEMORY_KIB, _INHERITED_KIB)
    return requests >= MAX_REQUESTS or (requests > 0 and is_too_large)
