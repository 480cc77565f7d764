"""Asks one engine everything: ``python -m benchmarks.rules.interview ENGINE SECONDS``, the workload on standard input.

What fired on every deployment in both passes leaves as JSON, and how many deployments were evaluated in a second of
processor time, the median of several turns.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from .peers import PEERS, Fired, Rules

TURNS = 5


def engines(name: str) -> tuple[Callable[[Rules], Fired], Callable[[Rules], Fired]]:
    """What makes an engine of each pass."""
    if name in PEERS:
        return PEERS[name], PEERS[name]
    from .ours import durable, plain  # noqa: PLC0415 (the peers' environment has no Weighbridge)

    return (plain, plain) if name == "plain Python" else (durable("support"), durable("advice"))


def rate(work: Callable[[], object], units: int, seconds: float) -> float:
    """Units of ``work`` in a second of processor time."""
    turns = []
    for _ in range(TURNS):
        done, began = 0, time.process_time()
        while time.process_time() - began < seconds / TURNS:
            work()
            done += units
        turns.append(done / (time.process_time() - began))
    return statistics.median(turns)


def main() -> None:
    """Ask the engine that the command line names."""
    name, seconds = sys.argv[1], float(sys.argv[2])
    asked: dict[str, Any] = json.load(sys.stdin)
    of_support, of_advice = engines(name)
    support, advice = of_support(asked["support"]), of_advice(asked["advice"])
    facts = asked["facts"]
    fired = [[sorted(support(first)), sorted(advice(second))] for first, second in facts]

    def first_pass() -> None:
        for first, _ in facts:
            support(first)

    def second_pass() -> None:
        for _, second in facts:
            advice(second)

    def both() -> None:
        for first, second in facts:
            support(first)
            advice(second)

    told = {
        "fired": fired,
        "support": rate(first_pass, len(facts), seconds),
        "advice": rate(second_pass, len(facts), seconds),
        "both": rate(both, len(facts), seconds),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
