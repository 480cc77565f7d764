"""When a process is worn out: by what it answered or took in memory itself, not by what its parent took."""

import subprocess
import sys

from worker.recycling import MAX_MEMORY_KIB, MAX_REQUESTS

TAKE = f"bytearray({MAX_MEMORY_KIB} * 1024 + 1)"
IMPORT = "from worker.recycling import is_worn_out"
TELL = f"{IMPORT}; print(is_worn_out(0), is_worn_out(1))"


def told_by(script: str) -> str:
    """What a process prints that runs ``script``."""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    return run.stdout.strip()


def test_a_process_is_worn_out_by_many_requests() -> None:
    """The last one counts."""
    assert told_by(f"{IMPORT}; print(is_worn_out({MAX_REQUESTS - 1}), is_worn_out({MAX_REQUESTS}))") == "False True"


def test_a_process_is_worn_out_by_its_own_memory() -> None:
    """Even when it has given it back, but not before it has answered anything."""
    assert told_by(f"{TAKE}; {TELL}") == "False True"


def test_a_process_is_not_worn_out_by_the_memory_of_the_one_that_started_it() -> None:
    """A program that has much in memory may start a worker."""
    start = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {TELL!r}], check=True)"
    assert told_by(f"kept = {TAKE}; {start}") == "False False"
