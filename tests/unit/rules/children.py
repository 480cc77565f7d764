"""Programs run in a process of their own, because what they prove would end this one were it not so."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

GARBAGE = {"MALLOC_PERTURB_": "165", "PYTHONMALLOC": "malloc"}
"""Fills memory with garbage when it is given out and given back, so that reading it is noticed."""


def run_child(program: str, *, seconds: float, **environment: str) -> str:
    """What ``program`` prints; fails when it crashes, hangs for longer than ``seconds``, or says nothing."""
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert ran.returncode == 0, f"exit status {ran.returncode}: {ran.stderr[-2000:]}"
    return ran.stdout.strip()
