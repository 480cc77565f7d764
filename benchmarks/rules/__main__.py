"""Evaluations of the project's rules a second, beside other engines: ``python -m benchmarks.rules [--seconds N]``.

Every engine is told the same rules and the same facts in a process of its own, and must fire the same rules on every
deployment.  The peers are installed once, at pinned versions, into an environment of their own (``--environment``).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rules.evaluate import Evaluator
from rules.facts import SupportFacts
from rules.ruleset import load_rule_set

from ..peers.environment import ROOT, installed, prepare, python_of, requirements
from .interview import rate
from .workload import Workload, workload

FOLDER = ROOT / ".venv-rules"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
SECONDS = 3.0
TARGET = 4000


def _ask(name: str, python: str, asked: Workload, seconds: float) -> dict[str, Any]:
    command = [python, "-m", "benchmarks.rules.interview", name, str(seconds)]
    text = json.dumps(asked._asdict())
    ran = subprocess.run(command, input=text, capture_output=True, text=True, cwd=ROOT, check=False)
    if ran.returncode:
        raise SystemExit(f"{name} failed: {ran.stderr.strip()[-2000:]}")
    told: dict[str, Any] = json.loads(ran.stdout)
    return told


def _as_asked(asked: Workload, seconds: float) -> float:
    """Deployments a second as requests meet the rules that were asked for the like of them before."""
    evaluator = Evaluator(load_rule_set())
    pairs = [(SupportFacts(**first), second) for first, second in asked.facts]  # type: ignore[arg-type]  # facts from JSON

    def one_by_one() -> None:
        for first, second in pairs:
            evaluator.support(first)
            evaluator.advice(second)

    one_by_one()
    return rate(one_by_one, len(pairs), seconds)


def main() -> None:
    """Install what is missing, ask every engine, check that all agree, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rules", description=__doc__)
    parser.add_argument("--environment", type=Path, default=FOLDER, help="folder of the peers' environment")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor seconds of each rate")
    chosen = parser.parse_args()

    wanted = requirements(REQUIREMENTS)
    failed = prepare(chosen.environment, wanted)
    have = installed(chosen.environment)
    asked = workload(load_rule_set())
    names = ["durable-rules, gated", "plain Python", *(name for name in wanted if name not in failed)]
    told = {
        name: _ask(name, python_of(chosen.environment) if name in wanted else sys.executable, asked, chosen.seconds)
        for name in names
    }
    reference = told["plain Python"]["fired"]
    for name, said in told.items():
        if said["fired"] != reference:
            where = next(place for place, fired in enumerate(said["fired"]) if fired != reference[place])
            raise SystemExit(f"{name} fires other rules than plain Python on deployment {where}")
    fired = sum(len(rules) for passes in reference for rules in passes)
    print(
        f"{len(asked.support)} support and {len(asked.advice)} advice rules, {len(asked.facts)} deployments, "
        f"{fired / len(asked.facts):.1f} rules fire on one; all engines fire the same"
    )
    print(f"\n{'deployments a second of one core':40} {'support':>9} {'advice':>9} {'both':>9} {'to plain':>9}")
    for name, said in told.items():
        label = f"{name} {have[name]}" if name in wanted else name
        ratio = said["both"] / told["plain Python"]["both"]
        print(f"{label:40} {said['support']:9.0f} {said['advice']:9.0f} {said['both']:9.0f} {ratio:9.2f}")
    warm = _as_asked(asked, chosen.seconds)
    print(f"{'as requests meet them, warm':40} {'':9} {'':9} {warm:9.0f}")
    for name, why in failed.items():
        print(f"{name}: {why}")
    print(f"\ntarget: {TARGET} deployments a second, warm: {'met' if warm >= TARGET else 'missed'}")


if __name__ == "__main__":
    main()
