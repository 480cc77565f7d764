"""Cells a second of one peer, in process: ``python -m benchmarks.batch.peers TOOL SECONDS``, models on standard input.

A peer has no catalogue of GPUs and no verdict; what it is asked is what it can: the memory of the model on one rank,
once for every cell.
"""

import contextlib
import json
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.peers.interview import tool_named, without_network
from benchmarks.peers.question import Question


def main() -> None:
    """Asks about model after model until the time is up, and says how many cells that were and how many it answered."""
    name, seconds = sys.argv[1], float(sys.argv[2])
    sys.addaudithook(without_network)
    questions = [Question(tensor_parallel_size=1, pipeline_parallel_size=1, **json.loads(line)) for line in sys.stdin]
    asked = answered = 0
    out = sys.stdout
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        tool = tool_named(name)
        models: set[str] = set()
        began = time.process_time()
        while time.process_time() - began < seconds:
            question = questions[asked % len(questions)]
            asked += 1
            try:
                figures = tool(question, Path(folder))()
            except Exception:  # noqa: BLE001, S112 - whatever a peer raises is its refusal
                continue
            if not isinstance(figures.kv_bytes_per_token, str):
                answered += 1
                models.add(question.model)
        taken = time.process_time() - began
    print(json.dumps({"asked": asked, "answered": answered, "models": len(models), "seconds": taken}), file=out)


if __name__ == "__main__":
    main()
