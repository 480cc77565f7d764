"""Processor time a request costs its worker, by every way in, beside tasks that do nothing."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rules import recommend
from worker.client import Client
from worker.connection import connect
from worker.keys import Keys
from worker.process import WorkerProcess
from worker.settings import Settings
from worker.stream.process import StreamProcess

from .workers import BARE_STREAM, BareWorker, StockWorker, bare_app, cpu_seconds

if TYPE_CHECKING:
    from redis import Redis

LIST_ITEMS = 100
ROUNDS = 2
IN_PROCESS_SECONDS = 2.0
DEADLINE_SECONDS = 180.0
WARM = 50
"""Requests a worker answers before it is measured: those after which nothing is built any more."""
REQUEST: dict[str, Any] = {
    "model": {"name": "Qwen/Qwen3-8B"},
    "weight_format": "bf16",
    "hardware": {"gpu": "RTX 3090", "count": 1},
    "workload": {"max_model_len": 8192, "concurrent_sequences": 4},
    "alternatives": 0,
}


class Case(NamedTuple):
    """One way to have requests answered."""

    name: str
    worker: Callable[[], WorkerProcess]
    send: Callable[[int], object]
    """Sends that many requests."""
    stream: str
    requests: int


class Measured(NamedTuple):
    """What a request costs."""

    cpu_microseconds: float
    a_second: float


def cases(settings: Settings, url: str, client: Client, redis: "Redis", *, singles: int, lists: int) -> list[Case]:
    """All of them, on one server."""
    keys = Keys(prefix=settings.key_prefix)
    many = lists * LIST_ITEMS
    log = Path(os.devnull).open("wb")  # noqa: SIM115 - for as long as this process lives
    items = [REQUEST] * LIST_ITEMS
    apps = {transport: bare_app(settings, url, transport) for transport in ("stock", "ours")}

    def bare(task: str, transport: str) -> Callable[[int], object]:
        send = apps[transport].send_task
        return lambda number: [send(task, kwargs={"request": REQUEST}, queue="sizing") for _ in range(number)]

    def bare_many(number: int) -> None:
        for _ in range(max(1, number // LIST_ITEMS)):
            apps["stock"].send_task("bare.many", kwargs={"requests": items}, queue="sizing")

    def entries(number: int) -> None:
        with redis.pipeline(transaction=False) as pipeline:
            for _ in range(number):
                pipeline.xadd(keys.requests, {"request": json.dumps(REQUEST)})
            pipeline.execute()

    def worker(kind: type[WorkerProcess]) -> Callable[[], WorkerProcess]:
        return lambda: kind(settings, url, log=log)

    return [
        Case("empty task, Celery's transport", worker(StockWorker), bare("bare.one", "stock"), BARE_STREAM, singles),
        Case("empty task, our transport", worker(BareWorker), bare("bare.one", "ours"), BARE_STREAM, singles),
        Case(
            "task that only weighs, Celery's transport",
            worker(StockWorker),
            bare("bare.recommended", "stock"),
            BARE_STREAM,
            singles,
        ),
        Case(
            "weighbridge.size",
            worker(WorkerProcess),
            lambda number: [client.submit(REQUEST) for _ in range(number)],
            keys.results,
            singles,
        ),
        Case(f"empty task, lists of {LIST_ITEMS}", worker(StockWorker), bare_many, BARE_STREAM, many),
        Case(
            f"weighbridge.size_many, lists of {LIST_ITEMS}",
            worker(WorkerProcess),
            lambda number: client.submit_many(REQUEST for _ in range(number)),
            keys.results,
            many,
        ),
        Case("stream of requests", lambda: StreamProcess(settings, url, 1, log=log), entries, keys.results, many),
    ]


def measure(case: Case, redis: "Redis") -> Measured:
    """What a request costs when many wait, from the first answered to the last."""
    redis.delete(case.stream)
    worker = case.worker().start()
    try:
        case.send(WARM)
        _await(redis, case.stream, WARM)
        redis.delete(case.stream)
        cpu, began = cpu_seconds(worker.pid), time.monotonic()
        case.send(case.requests)
        _await(redis, case.stream, case.requests)
        seconds = time.monotonic() - began
        return Measured((cpu_seconds(worker.pid) - cpu) / case.requests * 1e6, case.requests / seconds)
    finally:
        worker.stop()


def best(all_cases: list[Case], redis: "Redis") -> dict[str, Measured]:
    """The cheaper of a few rounds, in which all take turns."""
    found: dict[str, list[Measured]] = {case.name: [] for case in all_cases}
    for _ in range(ROUNDS):
        for case in all_cases:
            found[case.name].append(measure(case, redis))
    return {
        name: Measured(min(each[0] for each in rounds), max(each[1] for each in rounds))
        for name, rounds in found.items()
    }


def in_process() -> float:
    """Microseconds of processor time that the same recommendation takes in this process, from and to JSON values."""
    recommend.encode(recommend.answer(REQUEST))
    began, done = time.process_time(), 0
    while time.process_time() - began < IN_PROCESS_SECONDS:
        recommend.encode(recommend.answer(REQUEST))
        done += 1
    return (time.process_time() - began) / done * 1e6


def table(settings: Settings, url: str, singles: int, lists: int) -> None:
    """Prints what a request costs by each way."""
    redis = connect(url, patience=2)
    with Client(settings, url) as client:
        found = best(cases(settings, url, client, redis, singles=singles, lists=lists), redis)
    redis.close()
    alone = in_process()
    print(f"{'one request costs its worker':44}{'microseconds':>13}{'a second':>10}")
    for name, (microseconds, rate) in found.items():
        print(f"{name:44}{microseconds:13.0f}{rate:10.0f}")
    print(f"{'the recommendation alone, in process':44}{alone:13.0f}")
    stock, ours, weighing, single, bare_list, listed, stream = (each.cpu_microseconds for each in found.values())
    inside = weighing - stock
    print(f"\nthe recommendation, between other work in a worker: {inside:.0f}, {inside / alone:.2f} of alone")
    print(f"single, without the recommendation: {(single - inside) / stock:.2f} of an empty task")
    print(f"our transport beside Celery's, empty tasks: {ours / stock:.2f}")
    print(f"a list's item beside a single: {single / listed:.1f} x cheaper; empty tasks {stock / bare_list:.1f} x")
    print(f"an entry of the stream beside a single: {single / stream:.1f} x cheaper")


def _await(redis: "Redis", stream: str, total: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while (there := int(redis.xlen(stream))) < total:
        if time.monotonic() > deadline:
            raise SystemExit(f"only {there} of {total} answers came in {DEADLINE_SECONDS:.0f} s")
        time.sleep(0.02)
