"""Many requests with something wrong in them, on every core: ``python -m tests.fuzz [HOW_MANY [SEED]]``."""

import faulthandler
import json
import logging
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from random import Random
from typing import Any

from .mutation import arbitrary_json, mutated_request
from .properties import checked

HANGS_AFTER_SECONDS = 120
WATCHED_TOGETHER = 100
"""Requests between two looks at the clock."""
SHOWN = 5


def fuzz(seed: str, count: int) -> dict[str, Any]:
    """Codes, slowest calls, faults and peak memory in KiB of ``count`` requests; every fifth is arbitrary JSON."""
    logging.disable(logging.CRITICAL)
    codes: Counter[str] = Counter()
    slowest: list[tuple[float, str]] = []
    faults: list[str] = []
    for number in range(count):
        random = Random(f"{seed}-{number}")  # noqa: S311 - nothing here is a secret
        value = mutated_request(random) if number % 5 else arbitrary_json(random)
        if number % WATCHED_TOGETHER == 0:
            faulthandler.dump_traceback_later(HANGS_AFTER_SECONDS, exit=True)
        try:
            answered = checked(value)
        except Exception as fault:  # noqa: BLE001 - each is reported
            faults.append(f"seed {seed}-{number}: {type(fault).__name__}: {str(fault)[:200]}")
            continue
        codes[answered.code] += 1
        slowest = sorted([*slowest, (answered.seconds, f"{answered.code}, seed {seed}-{number}")], reverse=True)[:SHOWN]
    faulthandler.cancel_dump_traceback_later()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"codes": codes, "slowest": slowest, "faults": faults, "peak": peak}


def main(arguments: list[str]) -> int:
    """Fuzz on every core, and print how requests were answered; 1 when there were faults."""
    if arguments[:1] == ["--part"]:
        json.dump(fuzz(arguments[1], int(arguments[2])), sys.stdout)
        return 0
    count, seed = int(arguments[0]) if arguments else 100_000, arguments[1] if len(arguments) > 1 else "0"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    started = time.perf_counter()
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz", "--part", f"{seed}-{core}", str(-(-count // cores))],
            stdout=subprocess.PIPE,
        )
        for core in range(cores)
    ]
    texts = [part.communicate()[0] for part in parts]
    if any(part.returncode for part in parts):
        sys.stderr.write("a part ended early: it hung, or its process died; what it was at is above\n")
        return 1
    found = [json.loads(text) for text in texts]
    _report(found, time.perf_counter() - started)
    return 1 if any(each["faults"] for each in found) else 0


def _report(found: list[dict[str, Any]], seconds: float) -> None:
    codes = sum((Counter(each["codes"]) for each in found), Counter[str]())
    lines = [f"{sum(codes.values())} requests, each asked twice, in {seconds:.0f} s"]
    lines += [f"{times:>8} {code}" for code, times in codes.most_common()]
    slowest = sorted((slow for each in found for slow in each["slowest"]), reverse=True)[:SHOWN]
    lines += [f"slowest {taken * 1000:.0f} ms: {what}" for taken, what in slowest]
    lines.append(f"peak memory of a process {max(each['peak'] for each in found) // 1024} MiB")
    lines += [fault for each in found for fault in each["faults"]]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
