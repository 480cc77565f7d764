"""Hostile requests answered while the interpreter tells what it opens, reaches, imports and runs.

``python -m tests.fuzz.audited ROOT HOW_MANY`` prints what it should not have done; ROOT holds models to be read.
"""

import os
import sys
from pathlib import Path
from random import Random
from typing import Any

from checkpoints.sources import Sources
from rules.recommend import answer, encode, packaged
from tests.hostile import hostile_requests

from .mutation import VALUES, mutated_request

CODE = ("import", "compile", "exec", "code.__new__", "marshal.loads", "pickle.find_class", "ctypes.dlopen")
"""Events of code that is read or run."""
OUTSIDE = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "urllib.",
    "http.",
)
"""What events of reaching outside of the process begin with."""
FILES = ("open", "os.scandir", "os.listdir")
OURS = tuple(str(Path(__file__).parents[2] / room) for room in ("sizing", "rules", "checkpoints"))
"""Where the project's own data are, which are read when they are first asked for."""

PATHS = ("../outside", "/etc/passwd", "out", "linked", "model/../../outside", "a\0b", ".", "", "model\\..", "~", "pipe")
"""Paths that lead out of a folder of models, or to what is none."""


class Watch:
    """Collects what must not happen while it is on."""

    def __init__(self, root: str) -> None:
        self.allowed = (*OURS, root)
        self.is_on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on:
            return
        if event in CODE or event.startswith(OUTSIDE):
            self.seen.append(f"{event} {arguments!r:.200}")
        elif event in FILES:
            place = os.path.realpath(os.fsdecode(arguments[0])) if isinstance(arguments[0], str | bytes) else ""
            writes = event == "open" and isinstance(arguments[1], str) and arguments[1].strip("rbt")
            if writes or not place.startswith(self.allowed):
                self.seen.append(f"{event} {arguments!r:.200}")


def main(arguments: list[str]) -> int:
    """Answer all requests of the table, paths of models, and mutated requests; 1 when something was seen."""
    root, count = os.path.realpath(arguments[0]), int(arguments[1])
    reading = packaged(Sources(model_root=Path(root)))
    requests: list[object] = [each.value for each in hostile_requests()]
    for path in (*PATHS, *(value for value in VALUES if isinstance(value, str))):
        requests.append({"model": {"path": path}, "hardware": {"gpu": "RTX 4090"}, "alternatives": 0})
        requests.append({"model": {"repo": path}, "hardware": {"gpu": "RTX 4090"}, "alternatives": 0})
    requests += [mutated_request(Random(number)) for number in range(count)]  # noqa: S311 - nothing is a secret
    good = {"model": {"path": "model"}, "hardware": {"gpu": "RTX 4090"}}
    watch = Watch(root)
    for request in (good, *requests[: len(hostile_requests())]):
        answer(request, by=reading)
    watch.is_on = True
    answered = [encode(answer(request, by=reading)) for request in (good, *requests)]
    watch.is_on = False
    fine = '"status":"ok"' in answered[0]
    told = [text for text in answered if "outside-secret" in text or "root:x:0" in text]
    Path("/dev/null").read_bytes()
    watch.is_on = True
    Path("/dev/null").read_bytes()
    watch.is_on = False
    control = watch.seen.pop() if watch.seen else ""
    sys.stdout.write("\n".join([*watch.seen, *told]))
    if not fine or not control.startswith("open ('/dev/null'"):
        sys.stdout.write("the watch or the model did not work")
        return 2
    return 1 if watch.seen or told else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
