"""Recommendations a second through the queue, one by one and in lists, beside a bare Celery task.

    python -m benchmarks.queue [--singles N] [--lists N]

A real server and real worker processes on loopback, one after the other on the same machine: the service's
worker, and a worker with the same settings whose task only adds an entry to a stream.  Each figure is the
better of two rounds.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rules import recommend
from worker.app import create_app
from worker.client import Client
from worker.connection import connect
from worker.embedded import embedded_server
from worker.health import heartbeat
from worker.process import WorkerProcess, worker_process
from worker.settings import Settings

if TYPE_CHECKING:
    from redis import Redis

LIST_ITEMS = 100
ROUNDS = 2
TRIPS = 300
IN_PROCESS_SECONDS = 2.0
DEADLINE_SECONDS = 120.0
REQUEST: dict[str, Any] = {
    "model": {"name": "Qwen/Qwen3-8B"},
    "weight_format": "bf16",
    "hardware": {"gpu": "RTX 3090", "count": 1},
    "workload": {"max_model_len": 8192, "concurrent_sequences": 4},
    "alternatives": 5,
}
BARE_STREAM = "bare:results"


class BareWorker(WorkerProcess):
    """A worker with the service's settings and an empty task."""

    command: ClassVar[list[str]] = [sys.executable, "-m", "benchmarks.queue", "--serve-bare"]


def serve_bare() -> int:
    """Runs a worker whose tasks add one entry a request to a stream, and nothing else."""
    settings = Settings.from_environment(os.environ)
    url = str(settings.url)
    app = create_app(settings, url)
    redis = connect(url, patience=2)

    @app.task(name="bare.one", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
    def one(request: dict[str, Any]) -> None:
        redis.xadd(BARE_STREAM, {"body": str(request["model"])}, maxlen=settings.results_maxlen)

    @app.task(name="bare.many", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
    def many(requests: list[dict[str, Any]]) -> None:
        with redis.pipeline(transaction=False) as pipeline:
            for request in requests:
                pipeline.xadd(BARE_STREAM, {"body": str(request["model"])}, maxlen=settings.results_maxlen)
            pipeline.execute()

    worker = app.Worker(
        pool_cls="prefork",
        concurrency=settings.concurrency,
        queues=list(settings.queues),
        loglevel=settings.log_level,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        quiet=True,
    )
    worker.start()
    return int(worker.exitcode or 0)


Send = Callable[[], object]


def rate(worker: WorkerProcess, redis: "Redis", stream: str, send: Send, *, total: int, at_once: int) -> float:
    """Entries a second on ``stream`` while ``worker`` answers ``total`` requests that wait when it starts.

    From the first message answered, ``at_once`` requests, to the last, so that starting is not what is
    measured.
    """
    redis.delete(stream)
    send()
    worker.start()
    deadline = time.monotonic() + DEADLINE_SECONDS
    try:
        while redis.xlen(stream) < total:
            if time.monotonic() > deadline:
                raise SystemExit(f"only {redis.xlen(stream)} of {total} answers came in {DEADLINE_SECONDS:.0f} s")
            time.sleep(0.02)
    finally:
        worker.stop()
    (first, _), *_ = cast("list[tuple[str, object]]", redis.xrange(stream, count=1))
    (last, _), *_ = cast("list[tuple[str, object]]", redis.xrevrange(stream, count=1))
    milliseconds = int(last.partition("-")[0]) - int(first.partition("-")[0])
    return (total - at_once) / max(milliseconds, 1) * 1000


def measure(settings: Settings, url: str, singles: int, lists: int) -> None:
    """Prints the table."""
    results = f"{settings.key_prefix}results"
    app = create_app(settings, url)
    redis = connect(url, patience=2)
    items = [REQUEST] * LIST_ITEMS

    def bare(task: str, argument: dict[str, Any], times: int) -> Send:
        return lambda: [app.send_task(task, kwargs=argument, queue="sizing") for _ in range(times)]

    with Client(settings, url) as client:
        cases: dict[str, tuple[type[WorkerProcess], str, Send, int, int]] = {
            "bare task, one by one": (
                BareWorker,
                BARE_STREAM,
                bare("bare.one", {"request": REQUEST}, singles),
                singles,
                1,
            ),
            "weighbridge, one by one": (
                WorkerProcess,
                results,
                lambda: [client.submit(REQUEST) for _ in range(singles)],
                singles,
                1,
            ),
            f"bare task, lists of {LIST_ITEMS}": (
                BareWorker,
                BARE_STREAM,
                bare("bare.many", {"requests": items}, lists),
                lists * LIST_ITEMS,
                LIST_ITEMS,
            ),
            f"weighbridge, lists of {LIST_ITEMS}": (
                WorkerProcess,
                results,
                lambda: client.submit_many(REQUEST for _ in range(lists * LIST_ITEMS)),
                lists * LIST_ITEMS,
                LIST_ITEMS,
            ),
        }
        best = dict.fromkeys(cases, 0.0)
        for _ in range(ROUNDS):
            for name, (worker, stream, send, total, at_once) in cases.items():
                with Path(os.devnull).open("wb") as log:
                    started = worker(settings, url, log=log)
                    found = rate(started, redis, stream, send, total=total, at_once=at_once)
                best[name] = max(best[name], found)
        trips = round_trips(settings, url, client)
    app.close()
    redis.close()
    bare_one, one, bare_many, many = best.values()
    print(f"{settings.concurrency} processes, prefetch {settings.prefetch}, best of {ROUNDS} rounds\n")
    print(f"{'':32}{'a second':>10}   beside")
    for name, ratio in zip(
        best,
        ("1", f"{one / bare_one:.2f} of the bare task", "1", f"{many / bare_many:.2f} of the bare task"),
        strict=True,
    ):
        print(f"{name:32}{best[name]:10.0f}   {ratio}")
    print(f"\nlists of {LIST_ITEMS} beside one by one: {many / one:.1f} x (bare task: {bare_many / bare_one:.1f} x)")
    alone = in_process()
    print(f"the same request in process, without a queue: {alone:.0f} a second on one core")
    middle, slow = trips[len(trips) // 2], trips[len(trips) * 99 // 100]
    print(f"round trip of one request, idle queue: median {middle * 1000:.1f} ms, 99th {slow * 1000:.1f} ms")


def in_process() -> float:
    """Recommendations a second in this process."""
    recommend.encode(recommend.answer(REQUEST))
    began = time.perf_counter()
    done = 0
    while time.perf_counter() - began < IN_PROCESS_SECONDS:
        recommend.encode(recommend.answer(REQUEST))
        done += 1
    return done / (time.perf_counter() - began)


def round_trips(settings: Settings, url: str, client: Client) -> list[float]:
    """Seconds from submitting one request to having its answer, shortest first."""
    with Path(os.devnull).open("wb") as log, worker_process(settings, url, log=log):
        if heartbeat(settings, url, timeout=DEADLINE_SECONDS) is None:
            raise SystemExit("the worker does not answer")
        seconds = []
        for _ in range(TRIPS):
            began = time.perf_counter()
            client.wait(client.submit(REQUEST), timeout=DEADLINE_SECONDS)
            seconds.append(time.perf_counter() - began)
    return sorted(seconds)


def main() -> int:
    """Measures and prints the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--singles", type=int, default=2000, help="requests sent one by one")
    arguments.add_argument("--lists", type=int, default=100, help=f"lists of {LIST_ITEMS} requests")
    arguments.add_argument("--serve-bare", action="store_true", help=argparse.SUPPRESS)
    asked = arguments.parse_args()
    if asked.serve_bare:
        return serve_bare()
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        with embedded_server(settings) as server:
            measure(settings, server.url, asked.singles, asked.lists)
    return 0


if __name__ == "__main__":
    sys.exit(main())
