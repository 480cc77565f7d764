"""Objects that somebody may send to keep a cluster waiting."""

import time
from collections.abc import Mapping
from typing import Any

import pytest

from admission.manifest.read import read
from admission.manifest.reading import Surroundings

SERVE = ["vllm", "serve", "Qwen/Qwen3-0.6B", "--max-model-len", "2048"]
SECONDS = 2
"""Of processor time, several times what each took on a slow machine that did other work."""


def container(command: list[str], **fields: object) -> dict[str, object]:
    """A container with one GPU."""
    return {"name": "c", "command": command, "resources": {"limits": {"nvidia.com/gpu": 1}}, **fields}


def spec(*containers: object, **fields: object) -> dict[str, object]:
    """A pod's spec, on an L4 unless ``fields`` say otherwise."""
    return {"nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-L4"}, "containers": list(containers), **fields}


def group(number: int) -> dict[str, object]:
    """Leaders and followers with ``number`` containers each."""
    many = {"spec": spec(*(container(SERVE) for _ in range(number)))}
    template = {"size": 2, "leaderTemplate": many, "workerTemplate": many}
    return {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "spec": {"leaderWorkerTemplate": template},
    }


def script(text: str) -> Mapping[str, Any]:
    """A pod that runs ``text`` in a shell, after a server."""
    return {"kind": "Pod", "spec": spec(container(["sh", "-c", f"{' '.join(SERVE)}; {text}"]))}


HOSTILE: Mapping[str, Mapping[str, Any]] = {
    "a long script": script("echo a b c; " * 5000),
    "substitutions within each other": script("echo " + "$(" * 30_000),
    "braces that do not close": script("echo " + "${" * 30_000),
    "many servers": script(f"{' '.join(SERVE)}; " * 1000),
    "a script beyond all bounds": script("a;" * 500_000),
    "many words": {"kind": "Pod", "spec": spec(container([*SERVE, *["--foo", "1"] * 200_000]))},
    "many shells": {"kind": "Pod", "spec": spec(container([*SERVE, *["bash"] * 4000]))},
    "many containers": {"kind": "Pod", "spec": spec(*(container(SERVE) for _ in range(1000)))},
    "many followers": group(300),
    "a long name of a GPU": {
        "kind": "Pod",
        "spec": spec(container(SERVE), nodeSelector={"nvidia.com/gpu.product": "a1" * 200_000}),
    },
    "a long number": {"kind": "Pod", "spec": spec(container([*SERVE, "--max-num-seqs", "9" * 500_000]))},
    "deep JSON": {"kind": "Pod", "spec": spec(container([*SERVE, "--speculative-config", '{"a":' * 100_000]))},
    "many variables": {
        "kind": "Pod",
        "spec": spec(container(SERVE, env=[{"name": f"V{n}", "value": "$(V0)"} for n in range(20_000)])),
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_reading_ends_soon(name: str) -> None:
    """However an object is made, it is read, or said to be unreadable, in bounded time."""
    began = time.process_time()
    reading = read(HOSTILE[name], Surroundings())
    assert time.process_time() - began < SECONDS
    assert reading.servers or reading.unreadable
