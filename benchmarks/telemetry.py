"""Microseconds of processor time that noting an answer takes, beside the quickest request and a usual one.

    python -m benchmarks.telemetry

With metrics on and traces off, in files as the processes of a pool write them.  Each figure is the best of several
rounds, so that what else runs on the machine counts little.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rules import recommend
from worker.settings import Settings
from worker.telemetry.answers import ONLY_LOGGED, answers_noted

from .queue.cost import REQUEST

ROUNDS = 7
QUICKEST = {**REQUEST, "alternatives": 0}
USUAL = {**REQUEST, "alternatives": 5}


def microseconds(do: Callable[[], object], times: int) -> float:
    """Processor time of one call of ``do``."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            do()
        best = min(best, (time.process_time() - began) / times)
    return best * 1e6


def main() -> None:
    """Prints the table."""
    answer = recommend.answer(QUICKEST)
    with tempfile.TemporaryDirectory() as folder:
        noted = answers_noted(Settings(home=Path(folder), metrics_port=0))
        a_request, a_message, without = (
            microseconds(do, 20_000)
            for do in (
                lambda: noted.answered(answer, recommend_seconds=0.001, encode_seconds=0.0001),
                lambda: noted.published(repeated=0, seconds=0.001),
                lambda: ONLY_LOGGED.answered(answer, recommend_seconds=0.001, encode_seconds=0.0001),
            )
        )
    print(f"noting an answer {a_request:.1f} us, a message {a_message:.1f} us; with metrics off {without:.1f} us")
    for name, request in (("the quickest request", QUICKEST), ("with five alternatives", USUAL)):
        whole = microseconds(lambda request=request: recommend.encode(recommend.answer(request)), 50)  # type: ignore[misc]
        share = (a_request + a_message) / whole
        print(f"{name}: {whole:.0f} us in process, {share:.1%} for noting it when it comes alone")


if __name__ == "__main__":
    main()
