"""The environment of the peers, apart from ours, and the processes that ask each tool."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / ".venv-peers"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
INSTALL_SECONDS = 180
INTERVIEW_SECONDS = 120
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """What one tool said, by the number of the question."""

    answers: dict[int, dict[str, Any]] = field(default_factory=dict)
    seconds: dict[str, dict[int, float]] = field(default_factory=dict)
    """Processor seconds a call, by kind of repetition."""
    fault: str | None = None
    """How it ended, if not well."""


def requirements(pinned: Path = REQUIREMENTS) -> dict[str, str]:
    """The pinned requirement of each peer, by distribution."""
    lines = pinned.read_text(encoding="utf-8").split()
    return {line.partition("==")[0]: line for line in lines}


def python_of(folder: Path) -> str:
    """The interpreter of the environment ``folder``."""
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def _pip(folder: Path, *arguments: str) -> tuple[bool, str]:
    """Whether pip succeeded, and what it said last."""
    command = [python_of(folder), "-m", "pip", "--disable-pip-version-check", *arguments]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False, f"not installed within {INSTALL_SECONDS} s"
    said = (run.stderr if run.returncode else run.stdout).strip()
    return run.returncode == 0, said


def installed(folder: Path) -> dict[str, str]:
    """Versions in the environment, by distribution; empty when there is none."""
    if not Path(python_of(folder)).exists():
        return {}
    _, listed = _pip(folder, "list", "--format", "json")
    return {row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(listed)}


def prepare(folder: Path, wanted: Mapping[str, str]) -> dict[str, str]:
    """Make or complete the environment; why not, for each peer of ``wanted`` that could not be installed."""
    if not Path(python_of(folder)).exists():
        venv.create(folder, with_pip=True)
    have, failed = installed(folder), {}
    for name, pinned in wanted.items():
        if have.get(name) == pinned.partition("==")[2]:
            continue
        succeeded, said = _pip(folder, "install", "--quiet", pinned)
        if not succeeded:
            failed[name] = f"not installed: {said.splitlines()[-1] if said else 'pip failed'}"
    return failed


def ask(tool: str, python: str, questions: Sequence[dict[str, Any]], seconds: float, kinds: Sequence[str]) -> Interview:
    """Ask ``tool`` in a process of ``python``; what it said before a crash counts."""
    command = [python, "-m", "benchmarks.peers.interview", tool, str(seconds), *kinds]
    asked = "".join(f"{json.dumps(question)}\n" for question in questions)
    fault: str | None = None
    try:
        run = subprocess.run(
            command,
            input=asked.encode(),
            capture_output=True,
            cwd=ROOT,
            env={**os.environ, **OFFLINE},
            timeout=INTERVIEW_SECONDS,
            check=False,
        )
        out = run.stdout
        if run.returncode:
            last = run.stderr.decode(errors="replace").strip().splitlines()[-1:]
            fault = f"exit status {run.returncode}: {last[0] if last else 'nothing said'}"
    except subprocess.TimeoutExpired as expired:
        out, fault = expired.stdout or b"", f"stopped after {INTERVIEW_SECONDS} s"
    found = Interview(fault=fault, seconds={kind: {} for kind in kinds})
    for line in out.decode().splitlines():
        said = json.loads(line)
        number = said.pop("question")
        if "weights_bytes" in said:
            found.answers[number] = said
        else:
            ((kind, taken),) = said.items()
            found.seconds[kind][number] = taken
    return found


def ask_ours(tool: str, questions: Sequence[dict[str, Any]], seconds: float, kinds: Sequence[str]) -> Interview:
    """Ask one of Weighbridge's own, in the interpreter this runs in."""
    return ask(tool, sys.executable, questions, seconds, kinds)


def ask_peer(
    tool: str, folder: Path, questions: Sequence[dict[str, Any]], seconds: float, kinds: Sequence[str]
) -> Interview:
    """Ask a peer, in the interpreter of the environment ``folder``."""
    return ask(tool, python_of(folder), questions, seconds, kinds)
