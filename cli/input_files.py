"""Files that a command is given, of which ``-`` is standard input."""

import sys
from pathlib import Path


def read_input(file: str) -> tuple[str, bytes]:
    """What ``file`` is called in messages, and what is in it."""
    return ("<stdin>", sys.stdin.buffer.read()) if file == "-" else (file, Path(file).read_bytes())
