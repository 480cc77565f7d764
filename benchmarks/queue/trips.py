"""How long one request takes there and back: on an idle queue, and behind a batch."""

import time
from collections.abc import Sequence

from worker.client import Client
from worker.connection import connect
from worker.keys import Keys
from worker.settings import Settings

from ..service import service
from .cost import REQUEST

TRIPS = 300
BATCH = 10_000
DEADLINE_SECONDS = 120.0


def table(settings: Settings, url: str) -> None:
    """Prints the middle and the slow end of trips by each queue."""
    with service(settings, url), Client(settings, url) as client:
        rows = {
            "sizing, idle": _trips(client, "sizing", TRIPS),
            "admission, idle": _trips(client, "admission", TRIPS),
        }
        behind = client.submit_many(REQUEST for _ in range(BATCH))
        rows[f"admission, behind a batch of {BATCH}"] = _trips(client, "admission", TRIPS)
        rest = BATCH + len(rows) * TRIPS - _published(settings, url)
        for _ in client.wait_many(behind, timeout=DEADLINE_SECONDS):
            pass
    print(f"\n{'one request there and back':44}{'median ms':>11}{'99th ms':>10}")
    for name, seconds in rows.items():
        print(f"{name:44}{seconds[len(seconds) // 2] * 1000:11.1f}{seconds[len(seconds) * 99 // 100] * 1000:10.1f}")
    print(f"(of the batch {rest} still waited when the last of these was answered)")


def _published(settings: Settings, url: str) -> int:
    redis = connect(url, patience=2)
    published = int(redis.xlen(Keys(prefix=settings.key_prefix).results))
    redis.close()
    return published


def _trips(client: Client, queue: str, number: int) -> Sequence[float]:
    seconds = []
    for _ in range(number):
        began = time.perf_counter()
        client.wait(client.submit(REQUEST, queue=queue), timeout=DEADLINE_SECONDS)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)
