"""``python -m worker.stream [NUMBER]``: one process on the stream of requests, in the foreground."""

import sys
from functools import partial

from ..foreground import run
from .serve import serve


def main(number: int) -> int:
    """Answers the stream as the worker's process of that number until it is told to stop; the exit status."""
    return run(partial(serve, number=number))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 1))
