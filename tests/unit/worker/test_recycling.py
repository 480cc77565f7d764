"""When a process is worn out: by what it answered or took in memory itself, not by what its parent took."""

import subprocess
import sys

from worker.recycling import MAX_MEMORY_KIB, MAX_REQUESTS, is_worn_out

TAKE = f"bytearray({MAX_MEMORY_KIB} * 1024 + 1)"
TELL = "from worker.recycling import is_worn_out; print(is_worn_out(0), is_worn_out(1))"


def told_by(script: str) -> str:
    """What a process prints that runs ``script``."""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    return run.stdout.strip()


def test_a_process_is_worn_out_by_many_requests() -> None:
    """The last one counts."""
    assert not is_worn_out(MAX_REQUESTS - 1)
    assert is_worn_out(MAX_REQUESTS)


def test_a_process_is_worn_out_by_its_own_memory() -> None:
    """Even when it has given it back, but not before it has answered anything."""
    assert told_by(f"import worker.recycling; {TAKE}; {TELL}") == "False True"


def test_a_process_is_not_worn_out_by_the_memory_of_the_one_that_started_it() -> None:
    """A program that has much in memory may start a worker."""
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TELL!r}], check=True)"
    assert told_by(f"kept = {TAKE}; {start}") == "False False"
