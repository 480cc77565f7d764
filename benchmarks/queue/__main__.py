"""What a request costs by each way in, beside empty tasks, and how long one takes there and back.

    python -m benchmarks.queue [--singles N] [--lists N]

A real server and real workers on loopback, one after the other on the same machine; each figure is the better of two
rounds.  Processor time is that of the worker with its pool: the machine's other work changes it least.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from worker.embedded import embedded_server
from worker.settings import Settings

from . import cost, trips
from .workers import serve_bare


def main() -> int:
    """Measures and prints both tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--singles", type=int, default=2000, help="requests sent one by one")
    arguments.add_argument("--lists", type=int, default=50, help=f"lists of {cost.LIST_ITEMS} requests")
    arguments.add_argument("--serve-bare", choices=("ours", "stock"), help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.serve_bare:
        return serve_bare(asked.serve_bare)
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        with embedded_server(settings) as server:
            print(f"{settings.concurrency} processes, prefetch {settings.prefetch}, best of {cost.ROUNDS} rounds\n")
            cost.table(settings, server.url, asked.singles, asked.lists)
            trips.table(settings, server.url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
