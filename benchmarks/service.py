"""The whole of ``weighbridge worker``, run for as long as it is measured."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from worker.health import heartbeat
from worker.lanes import lanes
from worker.settings import Settings

READY_SECONDS = 120.0
COMMAND = (sys.executable, "-c", "from cli.main import main; main()", "worker")


@contextmanager
def service(settings: Settings, url: str) -> Iterator[int]:
    """It runs during the block, which begins when it answers; its process."""
    environment = {**os.environ, **settings.environment(url)}
    with subprocess.Popen(COMMAND, env=environment, stderr=subprocess.DEVNULL) as worker:
        try:
            for lane in lanes(settings):
                if heartbeat(lane, url, timeout=READY_SECONDS) is None:
                    raise SystemExit("the worker does not answer")
            yield worker.pid
        finally:
            worker.terminate()
            worker.wait()
