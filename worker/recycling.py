"""When a process that answers requests has served long enough, and another takes its place.

The rule engine is a C library, and what it may leak is given back that way.
"""

import resource

MAX_REQUESTS = 10_000
"""Tasks, or entries of the stream, that one process answers."""
MAX_MEMORY_KIB = 400_000
"""Resident memory at its highest, in KiB, beyond which a process is not used any longer."""


def is_worn_out(requests: int) -> bool:
    """Whether this process, which answered so many requests, should make room for another."""
    return requests >= MAX_REQUESTS or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > MAX_MEMORY_KIB
