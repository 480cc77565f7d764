"""The example clients in other languages, as a person runs them, against a real server and real processes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from redis import Redis

from rules import recommend
from worker.keys import Keys
from worker.settings import Settings
from worker.stream.process import StreamProcess

from .conftest import READY_SECONDS, a_request, assert_gone, entries_by_id
from .polling import eventually

CLIENTS = Path(__file__).parents[2] / "examples" / "clients"
BAD = {"model": 7}

needs_command_line_client = pytest.mark.skipif(
    not (shutil.which("redis-cli") or shutil.which("valkey-cli")),
    reason="neither redis-cli nor valkey-cli is installed",
)
needs_node = pytest.mark.skipif(
    not (shutil.which("node") and shutil.which("npm")), reason="node or npm is not installed"
)


@pytest.fixture
def environment(settings: Settings, url: str, redis: Redis) -> Iterator[Mapping[str, str]]:
    """What the clients read, while a process answers the stream."""
    process = StreamProcess(settings, url, 1).start()
    beat = Keys(prefix=settings.key_prefix).beat(settings.worker_name, 1)
    assert eventually(lambda: bool(redis.exists(beat)), within=READY_SECONDS)
    yield {**os.environ, "WEIGHBRIDGE_REDIS_URL": url, "WEIGHBRIDGE_KEY_PREFIX": settings.key_prefix}
    process.kill()
    assert_gone(process.pid)


def run(command: list[str], text: str, environment: Mapping[str, str], cwd: Path) -> "subprocess.CompletedProcess[str]":
    """A client, to its end."""
    return subprocess.run(
        command, input=text, env=environment, cwd=cwd, capture_output=True, text=True, timeout=100, check=False
    )


@needs_command_line_client
def test_shell_prints_the_verdict_of_one_request(
    environment: Mapping[str, str], redis: Redis, keys: Keys, tmp_path: Path
) -> None:
    """The verdict is the one given in process; an error, or an intake that is closed, is an exit status."""
    command = ["sh", str(CLIENTS / "shell.sh")]
    ran = run(command, json.dumps(a_request(note="é"), ensure_ascii=False), environment, tmp_path)
    assert ran.returncode == 0, ran.stderr
    request_id, verdict = ran.stdout.split()
    assert json.loads(recommend.encode(recommend.answer(a_request())))["verdict"] == verdict
    assert entries_by_id(redis, keys) == {request_id: 1}

    ran = run(command, json.dumps(BAD), environment, tmp_path)
    assert (ran.returncode, json.loads(ran.stderr)["error"]["code"]) == (2, "invalid_request")

    redis.set(keys.intake, json.dumps({"reason": "queue", "retry_after": 5}))
    ran = run(command, json.dumps(a_request()), environment, tmp_path)
    assert (ran.returncode, ran.stdout) == (75, "")
    assert "queue" in ran.stderr


@needs_node
def test_node_prints_the_verdict_of_every_request(
    environment: Mapping[str, str], redis: Redis, keys: Keys, tmp_path: Path
) -> None:
    """Requests with and without ids of their own get their verdicts, each once; a closed intake is an exit status."""
    folder = tmp_path / "node"
    shutil.copytree(CLIENTS / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = run(["npm", "ci", "--ignore-scripts"], "", environment, folder)
    assert installed.returncode == 0, installed.stderr
    named = {**a_request(), "request_id": "named"}
    requests = [named, a_request(), {**BAD, "request_id": "bad"}]
    ran = run(["node", "weigh.mjs"], "".join(f"{json.dumps(each)}\n" for each in requests), environment, folder)
    assert (ran.returncode, ran.stderr) == (0, "")
    told = dict(line.split(maxsplit=1) for line in ran.stdout.splitlines())
    assert set(told) == set(entries_by_id(redis, keys))
    verdict = json.loads(recommend.encode(recommend.answer(named)))["verdict"]
    assert told.pop("bad").startswith("invalid_request: ")
    assert list(told.values()) == [verdict] * 2
    assert redis.xpending(keys.results, "node-example")["pending"] == 0

    redis.set(keys.intake, json.dumps({"reason": "memory", "retry_after": 5}))
    ran = run(["node", "weigh.mjs"], json.dumps(a_request()), environment, folder)
    assert (ran.returncode, ran.stdout) == (75, "")
    assert "try again in 5 s" in ran.stderr


def test_lock_file_names_no_host() -> None:
    """What is installed is told by version and digest, so that any mirror serves."""
    locked = json.loads((CLIENTS / "node" / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: package for name, package in locked["packages"].items() if name}
    assert packages
    assert all(package["integrity"] and "resolved" not in package for package in packages.values())
