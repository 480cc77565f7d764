"""Memory of the rule engine over many evaluations and reloads: ``python -m benchmarks.rules.soak WHAT TIMES``.

WHAT is ``evaluations``, of both passes and none remembered, or ``reloads`` of a site's folder, each asked once.  The
exit status is 1 when memory grew by more than is allowed after the first tenth.
"""

import gc
import os
import sys
import tempfile
from collections.abc import Callable
from itertools import count, cycle
from pathlib import Path

from rules.engine import RuleEngine
from rules.recommend import packaged
from rules.ruleset import load_rule_set
from rules.site import load_with_site
from schemas.parse import parse_request

from .workload import real_facts

GROWTH_ALLOWED_KIB = 8192
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
POINTS = 10

RULE = """\
title: FP4 is not for long contexts
level: error
refuses: true
when: {{weight_format_kind: fp4, max_model_len: {{gt: {number}}}}}
message: {{en: no FP4, zh: 不使用 FP4}}
why: so that every reload has a rule that changed
source: none
cases:
  - {{facts: {{weight_format_kind: fp4, max_model_len: 9999999}}, fires: true}}
  - {{facts: {{}}, fires: false}}
"""


def resident_kib() -> int:
    """Memory of this process, in KiB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE_KIB


def grown_kib(work: Callable[[], object], times: int) -> int:
    """KiB by which memory grew while ``work`` was done ``times`` times, from the first tenth on; tells each tenth."""
    points = []
    for _ in range(POINTS):
        for _ in range(times // POINTS):
            work()
        points.append(resident_kib())
        print(f"{points[-1] / 1024:8.1f} MiB", flush=True)
    return points[-1] - points[0]


def evaluation() -> Callable[[], object]:
    """One evaluation of both passes over the next of a hundred deployments."""
    rule_set = load_rule_set()
    support = RuleEngine("support", {rule.id: rule.when for rule in rule_set.support})
    advice = RuleEngine("advice", {rule.id: rule.when for rule in rule_set.advice})
    deployments = cycle(real_facts())

    def evaluate() -> None:
        first, second = next(deployments)
        support.fired([first])
        advice.fired([second])

    return evaluate


def reload(folder: Path) -> Callable[[], object]:
    """One change of a site's folder, its rules in place of those before, and one answer by them."""
    path = folder / "advice" / "fp4-is-not-for-long-contexts.yaml"
    path.parent.mkdir()
    numbers = count()
    request = parse_request(
        {"model": {"name": "Qwen/Qwen3-8B"}, "weight_format": "nvfp4", "hardware": {"gpu": "RTX 5090"}}
    )

    def change() -> None:
        path.write_text(RULE.format(number=next(numbers)), encoding="utf-8")
        recommender = packaged().ruled_by(load_with_site(folder))
        recommender.recommend(request)
        recommender.close()

    return change


def main(what: str, times: int) -> int:
    """Do it, and tell how memory grew."""
    with tempfile.TemporaryDirectory() as folder:
        work = evaluation() if what == "evaluations" else reload(Path(folder))
        grown = grown_kib(work, times)
    print(f"{times} {what}: memory grew by {grown} KiB after the first tenth")
    return int(grown > GROWTH_ALLOWED_KIB)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
