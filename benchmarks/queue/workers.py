"""Workers to be measured: the service's own, and ones whose task does nothing but say that it ran."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from rules import recommend
from worker.app import create_app
from worker.connection import connect
from worker.process import WorkerProcess, work
from worker.settings import Settings

BARE_STREAM = "bare:results"
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class BareWorker(WorkerProcess):
    """The service's settings and transport, and an empty task."""

    command: ClassVar[Sequence[str]] = [sys.executable, "-m", "benchmarks.queue", "--serve-bare", "ours"]


class StockWorker(WorkerProcess):
    """The same on Celery's own transport."""

    command: ClassVar[Sequence[str]] = [sys.executable, "-m", "benchmarks.queue", "--serve-bare", "stock"]


def bare_app(settings: Settings, url: str, transport: str) -> Any:  # noqa: ANN401 - Celery has no types
    """The service's app, its transport exchanged for Celery's own if asked."""
    app = create_app(settings, url, refuse=lambda *_: None)
    app.conf.broker_transport_options["tasks"] = ("bare.one", "bare.recommended", "bare.many")
    if transport == "stock":
        app.conf.broker_transport = None
    return app


def serve_bare(transport: str) -> int:
    """Runs a worker whose tasks add one entry a request to a stream, and nothing else, or weigh it before."""
    settings = Settings.from_environment(os.environ)
    url = str(settings.url)
    app = bare_app(settings, url, transport)
    redis = connect(url, patience=2)

    @app.task(name="bare.one", ignore_result=True)  # type: ignore[untyped-decorator]
    def one(request: dict[str, Any]) -> None:
        redis.xadd(BARE_STREAM, {"body": str(request["model"])}, maxlen=settings.results_maxlen)

    @app.task(name="bare.recommended", ignore_result=True)  # type: ignore[untyped-decorator]
    def recommended(request: dict[str, Any]) -> None:
        recommend.encode(recommend.answer(request))
        one(request)

    @app.task(name="bare.many", ignore_result=True)  # type: ignore[untyped-decorator]
    def many(requests: list[dict[str, Any]]) -> None:
        with redis.pipeline(transaction=False) as pipeline:
            for request in requests:
                pipeline.xadd(BARE_STREAM, {"body": str(request["model"])}, maxlen=settings.results_maxlen)
            pipeline.execute()

    return work(app, settings, settings.queues)


def cpu_seconds(session: int) -> float:
    """Processor time that the live processes of a session have used."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        # man 5 proc: session is the 6th field, utime and stime the 14th and 15th, of which two come before.
        if int(fields[3]) == session:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_A_SECOND
