"""Asks one tool everything: ``python -m benchmarks.peers.interview TOOL SECONDS [KIND ...]``.

Questions come as JSON lines on standard input; answers leave as JSON lines, each as soon as it is there, so that
a crash loses only what follows it.  The questions marked ``timed`` that were answered are then asked over and over,
for each kind of repetition.
"""

import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

from .question import Answer, Question, Tool

CALLS_PREPARED = 40
"""Calls made ready outside the clock at a time."""
TURNS = 4
KINDS = ("warm", "cold", "reshaped")


def _repetitions(question: Question, kind: str) -> Iterator[Question]:
    """The question over and over: the same, with another irrelevant field, or with another vocabulary."""
    for number in count(1):
        if kind == "warm":
            yield question
        elif kind == "cold":
            yield replace(question, config={**question.config, "transformers_version": f"4.0.{number}"})
        else:
            vocabulary = question.config["vocab_size"] + 64 * number
            yield replace(question, config={**question.config, "vocab_size": vocabulary})


def _batches(tool: Tool, question: Question, kind: str, scratch: Path, seconds: float) -> list[float]:
    """Processor seconds of one call in each batch; the batches take at least ``seconds`` together."""
    questions, batches = _repetitions(question, kind), list[float]()
    same = tool(question, scratch)
    same()
    while sum(batches) * CALLS_PREPARED < seconds:
        if kind == "warm":
            ready = [same] * CALLS_PREPARED
        else:
            ready = [tool(asked, scratch) for asked in islice(questions, CALLS_PREPARED)]
        began = time.process_time()
        for call in ready:
            call()
        batches.append((time.process_time() - began) / CALLS_PREPARED)
    return batches


def _seconds_a_call(
    tool: Tool, question: Question, kinds: list[str], scratch: Path, seconds: float
) -> dict[str, float]:
    """Processor seconds of one call by kind: the median batch, the kinds taking turns on a machine that is shared."""
    batches: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(TURNS):
        for kind in kinds:
            batches[kind] += _batches(tool, question, kind, scratch, seconds / TURNS)
    return {kind: statistics.median(taken) for kind, taken in batches.items()}


def _answer(tool: Tool, question: Question, scratch: Path) -> Answer:
    try:
        return tool(question, scratch)()
    except Exception as error:  # noqa: BLE001 (whatever a peer raises is its refusal)
        said = str(error).strip() or "no reason given"
        named = said if type(error).__name__ == "NotOfferedError" else f"{type(error).__name__}: {said}"
        return Answer(named, named)


def without_network(event: str, _arguments: tuple[Any, ...]) -> None:
    """An audit hook that refuses whoever would reach beyond this machine."""
    if event in {"socket.connect", "socket.getaddrinfo"}:
        raise OSError("no network in this benchmark")


def tool_named(name: str) -> Tool:
    """Ours, or a peer in whose environment this runs."""
    if name.startswith("weighbridge"):
        from .ours import OURS  # noqa: PLC0415 (the peers' environment has no Weighbridge)

        return OURS[name]
    from .adapters import PEERS  # noqa: PLC0415 (one set of tools in each environment)

    return PEERS[name]


def interview(
    tool: Tool, lines: Iterator[str], seconds: float, kinds: list[str], say: Callable[[object], None]
) -> None:
    """Say every answer, then the seconds a call takes for every timed question."""
    timed: list[tuple[int, Question]] = []
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        for number, line in enumerate(lines):
            asked = json.loads(line)
            is_timed = asked.pop("timed")
            question = Question(**asked)
            answer = _answer(tool, question, scratch)
            say({"question": number, **answer._asdict()})
            if is_timed and not isinstance(answer.kv_bytes_per_token, str):
                timed.append((number, question))
        for number, question in timed:
            for kind, taken in _seconds_a_call(tool, question, kinds, scratch, seconds).items():
                say({"question": number, kind: taken})


def main() -> None:
    """Ask the tool that the command line names; what it prints goes to standard error."""
    name, seconds, *kinds = sys.argv[1:]
    sys.addaudithook(without_network)
    out = sys.stdout

    def say(line: object) -> None:
        print(json.dumps(line), file=out, flush=True)

    with contextlib.redirect_stdout(sys.stderr):
        interview(tool_named(name), iter(sys.stdin), float(seconds), kinds, say)


if __name__ == "__main__":
    main()
