"""The service at half of what the machine can do, for long: memory, latency, and what is left behind.

    python -m benchmarks.soak [--minutes N]

The whole of ``weighbridge worker`` on a server of its own, and the load in this process, all on one machine.  What it
can do is measured first, with a load that waits for its answers.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from worker.embedded import embedded_server
from worker.settings import Settings
from worker.wiring import Wiring

from ..service import service
from .load import Load

WARM_SECONDS = 10
CAPACITY_SECONDS = 20
ROWS = 12
"""Lines of the table, whatever the length."""


def capacity(settings: Settings, url: str) -> float:
    """Requests a second that are answered when the next is sent as soon as the last are."""
    load = Load(settings, url, None)
    load.start()
    time.sleep(WARM_SECONDS)
    before = load.answered
    time.sleep(CAPACITY_SECONDS)
    done = load.answered - before
    load.stop()
    return done / CAPACITY_SECONDS


def resident_mib(pid: int) -> float:
    """Memory that a process and all below it hold."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    children = [
        int(child)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for child in path.read_text(encoding="utf-8").split()
    ]
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20 + sum(map(resident_mib, children))


def soak(settings: Settings, url: str, minutes: float) -> None:
    """Prints a line for each part of the time, and what is there at the end."""
    wiring = Wiring(settings, url)
    with service(settings, url) as pid:
        most = capacity(settings, url)
        print(f"the machine can do {most:.0f} a second; the load is half of that, for {minutes:g} minutes\n")
        print(
            f"{'minute':>7}{'sent':>10}{'answered':>10}{'p50 ms':>8}{'p99 ms':>8}{'worker MiB':>12}{'server MiB':>12}",
            flush=True,
        )
        load = Load(settings, url, most / 2)
        load.start()
        began = time.monotonic()
        for row in range(1, ROWS + 1):
            time.sleep(max(0.0, began + row * minutes * 60 / ROWS - time.monotonic()))
            seconds = load.take_seconds()
            server = int(wiring.redis.info("memory")["used_memory"]) / 2**20
            print(
                f"{(time.monotonic() - began) / 60:7.1f}{load.sent:10}{load.answered:10}"
                f"{seconds[len(seconds) // 2] * 1000:8.1f}{seconds[len(seconds) * 99 // 100] * 1000:8.1f}"
                f"{resident_mib(pid):12.1f}{server:12.1f}",
                flush=True,
            )
        load.stop()
        print(f"\nnot answered {load.open}, answered twice {load.twice}, errors {load.errors}, refused {load.refused}")
    keys = wiring.redis.scan_iter(f"{settings.key_prefix}*", count=1000)
    left = Counter(key.removeprefix(settings.key_prefix).split(":")[0] for key in keys)
    print(f"left on the server: {dict(left)}, {len(wiring.dead)} dead letters")
    wiring.close()


def main() -> int:
    """Runs it."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=2.0)
    asked = arguments.parse_args()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        with embedded_server(settings) as server:
            soak(settings, server.url, asked.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
