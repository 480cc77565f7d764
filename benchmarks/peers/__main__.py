"""Weighbridge beside other sizing tools: ``python -m benchmarks.peers [--json] [--write]``.

The peers are installed once, at pinned versions, into an environment of their own (``--environment``), and asked in
process on the config alone.  ``--write`` keeps docs/peers.md.
"""

import argparse
import json
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from .environment import FOLDER, Interview, ask_ours, ask_peer, installed, prepare, requirements
from .interview import KINDS
from .references import Reference, read_references
from .report import error_of, figure_of, rates, render

PAGE = Path(__file__).parent.parent.parent / "docs" / "peers.md"
SECONDS = 0.4
NOT_ASKED = {
    "hf-vram-calc": "instantiates the model with torch and transformers, gigabytes of them, and trusts remote code",
    "accelerate": "instantiates the model with torch; weights for loading only",
    "llm-d-planner": "reads models from the Hub, not from a config",
    "gguf-parser-go": "reads GGUF headers, not configs",
}


def _as_json(
    references: list[Reference], interviews: dict[str, Interview], versions: dict[str, str], left_out: dict[str, str]
) -> str:
    answers = {
        tool: [
            {
                "model": row.model,
                "tensor_parallel_size": row.tensor_parallel_size,
                "pipeline_parallel_size": row.pipeline_parallel_size,
                "weights_bytes": figure_of(said, number, "weights_bytes"),
                "weights_error": error_of(figure_of(said, number, "weights_bytes"), row.weights_bytes),
                "kv_bytes_per_token": figure_of(said, number, "kv_bytes_per_token"),
                "kv_error": error_of(figure_of(said, number, "kv_bytes_per_token"), row.kv_bytes_per_token),
            }
            for number, row in enumerate(references)
        ]
        for tool, said in interviews.items()
    }
    return json.dumps(
        {
            "versions": versions,
            "references": [asdict(row) for row in references],
            "answers": answers,
            "rates": rates(interviews, "weighbridge"),
            "left_out": left_out,
        },
        indent=2,
    )


def main() -> None:
    """Install what is missing, ask every tool, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers", description=__doc__)
    parser.add_argument("--environment", type=Path, default=FOLDER, help="folder of the peers' environment")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor seconds of each rate")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--write", action="store_true", help="write docs/peers.md")
    asked = parser.parse_args()

    references = read_references()
    questions = [row.question() for row in references]
    print("preparing the environment of the peers", file=sys.stderr)
    failed = prepare(asked.environment, requirements())
    have = installed(asked.environment)
    interviews = {
        "weighbridge": ask_ours("weighbridge", questions, asked.seconds, KINDS),
        "weighbridge by name": ask_ours("weighbridge by name", questions, asked.seconds, ("warm",)),
    }
    versions = {"weighbridge": version("weighbridge")}
    for name in requirements():
        if name not in failed:
            print(f"asking {name}", file=sys.stderr)
            interviews[name] = ask_peer(name, asked.environment, questions, asked.seconds, KINDS)
            versions[name] = have[name]
    left_out = NOT_ASKED | failed | {name: said.fault for name, said in interviews.items() if said.fault}

    if asked.json:
        print(_as_json(references, interviews, versions, left_out))
        return
    heading = [
        "# Beside peers",
        "",
        f"Written by `python -m benchmarks.peers --write` on {datetime.now(UTC):%Y-%m-%d}; do not edit.",
        "",
        "Every tool is asked in process and without a network, on the published config alone: what it would read from",
        "checkpoint headers or from the Hub it does not have here. Figures are of one rank, which is the whole replica",
        "where no TP or PP is named. Each is held against a reference that was measured, published or derived by hand",
        "(sources at the end); percent is the relative error to it. *refused* is an answer too: a tool that says it",
        "does not know is not wrong.",
        "",
        f"Python {platform.python_version()}; "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + ".",
    ]
    page = render(references, interviews, heading=heading, left_out=left_out, reference_tool="weighbridge")
    print(page)
    if asked.write:
        PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
