"""A real worker, or process on the stream, that is as slow, or ends as badly, as a request's metadata says."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kombu.transport import redis as kombu_redis

from rules import recommend
from schemas.recommendation import ErrorAnswer, Recommendation
from worker import __main__ as worker_main
from worker import recycling
from worker.stream import __main__ as stream_main

answer = recommend.answer


def scripted(
    value: object, *, request_id: str | None = None, by: recommend.Recommender | None = None
) -> Recommendation | ErrorAnswer:
    """The real answer, after what the request's metadata asks for."""
    metadata = value.get("metadata") if isinstance(value, Mapping) else None
    if isinstance(metadata, Mapping):
        if metadata.get("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        if metadata.get("never_returns"):
            ctypes.PyDLL(None).sleep(60)  # keeps the interpreter to itself, as code in C can
        if "at_work" in metadata:
            half = float(metadata["sleep_seconds"]) / 2
            time.sleep(half)
            with shown(Path(metadata["at_work"]) / str(os.getpid())):
                time.sleep(half)
        else:
            time.sleep(float(metadata.get("sleep_seconds", 0)))
    return answer(value, request_id=request_id, by=by)


@contextmanager
def shown(mark: Path) -> Iterator[None]:
    """A file that is there while this process is in the second half of its sleep.

    By then its parent knows which process has the request: a pool process killed sooner is missed only at the
    time limit.
    """
    mark.touch()
    yield
    mark.unlink()


def set_clock_ahead(seconds: float) -> None:
    """Makes this process's time of day, as Celery and its transport ask for it, another than the next machine's."""
    real = time.time

    def ahead() -> float:
        return real() + seconds

    time.time = ahead
    kombu_redis.time = ahead


if __name__ == "__main__":
    recommend.answer = scripted
    recycling.MAX_REQUESTS = int(os.environ.get("WORN_OUT_AFTER", recycling.MAX_REQUESTS))
    match sys.argv[1:]:
        case ["stream", number]:
            sys.exit(stream_main.main(int(number)))
        case ["ahead", seconds]:
            set_clock_ahead(float(seconds))
            sys.exit(worker_main.main())
        case _:
            sys.exit(worker_main.main())
