"""A whole catalogue, 179,322 cells: ``python -m benchmarks.batch [--without-peers] [--model PATTERN] [--keep FOLDER]``.

Through the queue with a worker of two processes, then by two local processes, then the same models asked of peers in
process.  Prints time, processor time, memory and rates; asserts nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.peers.environment import FOLDER, OFFLINE, ROOT, prepare, python_of, requirements
from benchmarks.service import service
from sizing.catalog.models import load_models
from worker.embedded import embedded_server
from worker.settings import Settings

from .catalog import write_catalog
from .watch import Watched, watch

PROCESSES = 2
PEER_SECONDS = 10.0
WEIGHBRIDGE = (sys.executable, "-c", "from cli.main import main; main()", "batch")


def through_the_queue(catalog: Path, folder: Path, more: list[str]) -> Watched:
    """The catalogue through an embedded server with a worker of its own."""
    settings = Settings(home=folder / "home", concurrency=PROCESSES, admission_concurrency=0, stream_processes=0)
    results = folder / "queue.jsonl"
    with embedded_server(settings) as server, service(settings, server.url) as worker:
        environment = {**os.environ, **settings.environment(server.url)}
        command = [*WEIGHBRIDGE, str(catalog), "--results", str(results), *more]
        return watch(command, environment, results, {"worker": worker, "server": server.pid})


def local(catalog: Path, folder: Path, more: list[str]) -> Watched:
    """The catalogue by processes of this machine."""
    environment = {**os.environ, "WEIGHBRIDGE_HOME": str(folder / "home")}
    results = folder / "local.jsonl"
    command = [*WEIGHBRIDGE, str(catalog), "--local", "--processes", str(PROCESSES), "--results", str(results), *more]
    return watch(command, environment, results, {})


def told(name: str, seen: Watched) -> None:
    """Prints what was seen."""
    first, last = seen.rate(0.0, 0.1), seen.rate(0.9, 1.0)
    print(f"{name}: {seen.cells} cells in {seen.seconds:.1f} s, {seen.cells / seen.seconds:.0f} a second in all")
    print(f"  first tenth {first:.0f} a second, last tenth {last:.0f}, {last / first:.2f} of it")
    print("  processor: " + ", ".join(f"{who} {seconds:.1f} s" for who, seconds in seen.cpu.items()), end="")
    print(f", {sum(seen.cpu.values()) / seen.cells * 1e6:.0f} us a cell in all")
    print("  largest process: " + ", ".join(f"{who} {mib:.0f} MiB" for who, mib in seen.highest.items()))


def beside_peers() -> None:
    """Asks each peer about the catalogue's models, over and over."""
    failed = prepare(FOLDER, requirements())
    models = load_models().models
    questions = "".join(json.dumps({"model": row.name, "config": row.config()}) + "\n" for row in models)
    for name in requirements():
        if name in failed:
            print(f"{name}: {failed[name]}")
            continue
        command = [python_of(FOLDER), "-m", "benchmarks.batch.peers", name, str(PEER_SECONDS)]
        ran = subprocess.run(
            command,
            input=questions,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, **OFFLINE},
            timeout=PEER_SECONDS * 12,
            check=False,
        )
        if ran.returncode:
            print(f"{name}: ended with status {ran.returncode}: {ran.stderr.strip().splitlines()[-1:]}")
            continue
        said = json.loads(ran.stdout)
        print(
            f"{name}: {said['asked'] / said['seconds']:.0f} cells a second on one core, "
            f"kv cache of {said['models']} of {len(models)} models answered, no GPU, no verdict"
        )


def main() -> None:
    """Runs all of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("--without-peers", action="store_true")
    parser.add_argument("--model", help="only models whose names match")
    parser.add_argument("--keep", type=Path, help="folder in which results stay")
    arguments = parser.parse_args()
    more = ["--model", arguments.model] if arguments.model else []
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        catalog = write_catalog(folder)
        told("queue", through_the_queue(catalog, folder, more))
        told("local", local(catalog, folder, more))
        same = subprocess.run(
            ["bash", "-c", "cmp <(sort queue.jsonl) <(sort local.jsonl)"], cwd=folder, env={"LC_ALL": "C"}, check=False
        )
        print("the two tables are the same, sorted" if same.returncode == 0 else "the two tables DIFFER")
    if not arguments.without_peers:
        beside_peers()


if __name__ == "__main__":
    main()
