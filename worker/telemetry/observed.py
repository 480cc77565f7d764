"""A worker observed for as long as its supervisor runs: it is reported, and, where that is set, served over HTTP."""

import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from schemas.errors import InvalidSettingError

from ..connection import connect
from ..keys import Keys
from ..lanes import lanes
from ..settings import Settings
from ..stream.beat import silent
from .pulse import LATELY_SECONDS, Pulse
from .pulses import Pulses
from .registry import Registry, WorkerReport

if TYPE_CHECKING:
    from redis import Redis

REPORT_SECONDS = 5.0
SOON_SECONDS = 1.0
"""How soon a worker is reported again that has not said yet what it answers by."""
END_SECONDS = 5.0

_log = logging.getLogger(__name__)


@contextmanager
def observed(settings: Settings, url: str) -> Iterator[str | None]:
    """Reports the worker of ``settings`` during the block; the address of its metrics, None where none are served.

    To be entered before the worker is started: what processes before it counted is forgotten.

    Raises: InvalidSettingError when the port for metrics cannot be had.
    """
    stop = threading.Event()
    pulse = Pulses([Pulse(lane, url) for lane in lanes(settings)])
    redis = connect(url, patience=0)
    try:
        with _served(settings, redis, pulse) as address:
            threads = [*pulse.beat(stop), _reporting(settings, url, pulse, stop)]
            yield address
            stop.set()
            for thread in threads:
                thread.join(END_SECONDS)
    finally:
        stop.set()
        redis.close()


@contextmanager
def _served(settings: Settings, redis: "Redis", pulse: Pulses) -> Iterator[str | None]:
    if settings.metrics_port is None:
        yield None
        return
    from .endpoint import metrics_page, probe_page, serving  # noqa: PLC0415 - who serves no metrics pays for none
    from .exposition import exposed  # noqa: PLC0415

    _empty(settings.metrics_home)
    pages = {
        "/metrics": metrics_page(exposed(settings, redis, pulse)),
        "/healthz": probe_page(lambda: _unhealthy(pulse)),
        "/readyz": probe_page(lambda: _unready(settings, pulse, redis)),
    }
    with serving(settings.metrics_host, settings.metrics_port, pages) as address:
        yield address


def _empty(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise InvalidSettingError(
            f"WEIGHBRIDGE_HOME: {folder} cannot be made: {error.strerror}",
            field="WEIGHBRIDGE_HOME",
            hint="choose a folder that can be written, or unset WEIGHBRIDGE_METRICS_PORT",
        ) from None


def _unhealthy(pulse: Pulses) -> str | None:
    return None if pulse.is_healthy else f"no health check was answered for {pulse.longest_wait_seconds:.0f} s"


def _unready(settings: Settings, pulse: Pulses, redis: "Redis") -> str | None:
    try:
        redis.ping()
        deaf = silent(redis, settings)
    except RedisError:
        return "the server does not answer"
    if deaf:
        return f"the stream of requests is not read by its processes {', '.join(map(str, deaf))}"
    return None if pulse.is_ready else f"no health check was answered for {LATELY_SECONDS:.0f} s"


def _reporting(settings: Settings, url: str, pulse: Pulses, stop: threading.Event) -> threading.Thread:
    """A thread that reports the worker until ``stop`` is set, and then strikes it out."""

    def run() -> None:
        redis = connect(url, patience=0)
        registry = Registry(redis=redis, keys=Keys(prefix=settings.key_prefix))
        report = WorkerReport(
            queues=settings.queues,
            processes=sum(lane.concurrency for lane in lanes(settings)),
            stream_processes=settings.stream_processes,
        )
        is_told = True
        while True:
            try:
                now = registry.now()
                versions = pulse.versions.model_dump() if pulse.versions else {}
                report = replace(report, since=report.since or now, versions=versions, seen=now)
                registry.report(settings.worker_name, report)
                is_told = True
            except RedisError as error:
                # Once an outage, not every few seconds of it.
                if is_told:
                    _log.warning("the worker is not reported: %s", type(error).__name__, extra={"action": "report"})
                is_told = False
            if stop.wait(REPORT_SECONDS if report.versions else SOON_SECONDS):
                break
        with suppress(RedisError):
            registry.leave(settings.worker_name)
        redis.close()

    thread = threading.Thread(target=run, name="report", daemon=True)
    thread.start()
    return thread
