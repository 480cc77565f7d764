"""Memory stays flat over evaluations and reloads; ``make soak-rules`` and ``make valgrind`` ask for more of both."""

import pytest

from .children import run_child


@pytest.mark.parametrize(("what", "times"), [("evaluations", 5_000), ("reloads", 20)])
def test_memory_stays_flat(what: str, times: int) -> None:
    """After the first tenth, five thousand evaluations and twenty reloads grow a process by less than 8 MiB.

    Without the library's rule sets given back, twenty reloads would take some 100 MiB.
    """
    program = f"from benchmarks.rules import soak\nassert soak.main('{what}', {times}) == 0"
    assert f"{times} {what}: memory grew by" in run_child(program, seconds=100)
