"""``python -m worker``: one worker in the foreground, on the server that WEIGHBRIDGE_REDIS_URL names."""

import sys

from .foreground import run
from .process import serve


def main() -> int:
    """Runs a worker until it is told to stop; the exit status."""
    return run(serve)


if __name__ == "__main__":
    sys.exit(main())
