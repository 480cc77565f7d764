"""Workloads of a cluster weighed by a real worker over a real queue."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from redis import Redis

from admission.context import Identity
from admission.kueue.deciding import over_the_queue
from admission.kueue.kinds import LEASES, PARAMETERS
from admission.kueue.over_the_queue import QueueWeigher
from admission.settings import AdmissionSettings
from schemas.recommendation import Recommendation
from tests.unit.admission.kueue.api_server import KINDS, ApiServer, kubeconfig, serving
from tests.unit.admission.kueue.objects import NAMESPACE, a_check, a_flavor, a_workload, pending
from tests.unit.admission.kueue.running import controller, until
from worker.client import Client
from worker.embedded import free_port
from worker.keys import Keys
from worker.settings import Settings

from .conftest import StartWorker, a_request, published

FLAVORS = (
    a_flavor("l40s", {"nvidia.com/gpu.product": "NVIDIA-L40S"}),
    a_flavor("t4", {"nvidia.com/gpu.product": "Tesla-T4"}),
)


def states(decide: Any, flavors: dict[str, str], *, mode: str) -> dict[str, dict[str, Any]]:  # noqa: ANN401 - a Decide
    """What workloads of Qwen3-8B are answered on a flavour each, by name, by a check in ``mode``."""

    async def play() -> dict[str, dict[str, Any]]:
        async with serving() as (server, cluster):
            server.add(KINDS.checks, a_check("gpu-fit", parameters="told"))
            server.add(PARAMETERS, {"metadata": {"name": "told"}, "spec": {"mode": mode, "annotate": True}})
            for flavor in FLAVORS:
                server.add(KINDS.flavors, flavor)
            for name, named in flavors.items():
                server.add(KINDS.workloads, a_workload(name, flavor=named))

            def entries() -> dict[str, dict[str, Any]]:
                return {
                    name: server.now(KINDS.workloads, name, NAMESPACE)["status"]["admissionChecks"][0]
                    for name in flavors
                }

            async with controller(cluster, decide):
                await until(lambda: all(entry != pending() for entry in entries().values()))
            return entries()

    return asyncio.run(play())


def test_workloads_are_answered_by_what_workers_find(settings: Settings, url: str, start_worker: StartWorker) -> None:
    """A model that fits its flavour is ready with its figures; one that does not is rejected, with what would fit."""
    start_worker(settings)
    with Client(settings, url) as client:
        decide = over_the_queue(QueueWeigher(client, timeout_seconds=30), AdmissionSettings())
        told = states(decide, {"large": "l40s", "small": "t4"}, mode="enforce")
    assert told["large"]["state"] == "Ready"
    assert "GiB" in told["large"]["message"]
    (update,) = told["large"]["podSetUpdates"]
    assert update["annotations"]["weighbridge.dev/decision"] == "fit"
    assert told["small"]["state"] == "Rejected"
    assert "T4" in told["small"]["message"]


def test_workloads_wait_while_nobody_weighs(settings: Settings, url: str) -> None:
    """Without a worker they are told to come again, and never rejected, even where others would be."""
    with Client(settings, url) as client:
        decide = over_the_queue(QueueWeigher(client, timeout_seconds=0.5), AdmissionSettings(fail_open=False))
        told = states(decide, {"large": "l40s"}, mode="enforce")
    assert (told["large"]["state"], told["large"]["requeueAfterSeconds"]) == ("Retry", 30)


def test_same_question_is_weighed_once(
    settings: Settings, url: str, start_worker: StartWorker, redis: Redis, keys: Keys
) -> None:
    """Asked again, as after a restart, the answer is the one that was given; another round is another request."""
    start_worker(settings)
    request = {key: value for key, value in a_request().items() if key != "metadata"}
    first, second = Identity(uid="u", generation=1, flavor="a"), Identity(uid="u", generation=1, flavor="b")
    with Client(settings, url) as client:
        answers = [QueueWeigher(client, timeout_seconds=30).weigh(each, request) for each in (first, first, second)]
    assert all(isinstance(answer, Recommendation) for answer in answers)
    ids = [answer.request_id for answer in answers]
    assert ids[0] == ids[1] != ids[2]
    assert len(published(redis, keys)) == 2


def commanded(
    settings: Settings, url: str, tmp_path: Path, meanwhile: Callable[[ApiServer, int], Awaitable[None]]
) -> None:
    """Runs ``weighbridge kueue`` beside one workload, ends it after ``meanwhile``, and finds its lease free."""

    async def play() -> None:
        async with serving() as (server, _):
            server.add(KINDS.checks, a_check())
            server.add(KINDS.flavors, FLAVORS[0])
            server.add(KINDS.workloads, a_workload("one"))
            port = free_port()
            environment = {"WEIGHBRIDGE_METRICS_PORT": str(port), "WEIGHBRIDGE_KUEUE_IDENTITY": "here"}
            with kubeconfig(str(server.url).rstrip("/")) as path, (tmp_path / "log").open("wb") as log:
                told = {**os.environ, **settings.environment(url), **environment, "KUBECONFIG": str(path)}
                command = [sys.executable, "-m", "cli.main", "kueue"]
                started = await asyncio.to_thread(partial(subprocess.Popen, command, env=told, stderr=log))
                try:
                    await meanwhile(server, port)
                    lease = server.now(LEASES, "weighbridge-kueue", "weighbridge")
                    assert lease["spec"]["holderIdentity"] == "here"
                    started.terminate()
                    assert await asyncio.to_thread(started.wait, 10) == 0
                    lease = server.now(LEASES, "weighbridge-kueue", "weighbridge")
                    assert "holderIdentity" not in lease["spec"]
                finally:
                    started.kill()
                    started.wait()

    asyncio.run(play())


def state_of(server: ApiServer) -> str:
    """The state of the one workload's check."""
    (entry,) = server.now(KINDS.workloads, "one", NAMESPACE)["status"]["admissionChecks"]
    return str(entry["state"])


def test_command_answers_until_it_is_told_to_stop(
    settings: Settings, url: str, start_worker: StartWorker, tmp_path: Path
) -> None:
    """``weighbridge kueue`` is ready once it leads, answers, and gives its lease back at SIGTERM."""
    start_worker(settings)

    async def meanwhile(server: ApiServer, port: int) -> None:
        await until(lambda: state_of(server) == "Ready")
        for probe in ("healthz", "readyz"):
            assert await asyncio.to_thread(_status, f"http://127.0.0.1:{port}/{probe}") == 200

    commanded(settings, url, tmp_path, meanwhile)


def test_command_stops_while_nobody_weighs(
    settings: Settings, url: str, tmp_path: Path, redis: Redis, keys: Keys
) -> None:
    """It ends in seconds although one still waits for an answer, which is left to whoever leads next."""

    async def meanwhile(server: ApiServer, _: int) -> None:
        await until(lambda: redis.llen(f"{keys.prefix}admission"))
        assert state_of(server) == "Pending"

    commanded(settings, url, tmp_path, meanwhile)


def test_command_without_a_cluster_says_so(settings: Settings, url: str, tmp_path: Path) -> None:
    """Exit status 3 and what to do, where there is neither a service account nor a kubeconfig, and where it is away."""
    for config in ("", "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: []\n"):
        path = tmp_path / "kubeconfig"
        path.write_text(config, encoding="utf-8")
        assert "no cluster is configured" in _last_words(settings, url, path)
    with kubeconfig("http://127.0.0.1:9") as path:
        assert "AdmissionCheck" in _last_words(settings, url, path)


def _last_words(settings: Settings, url: str, path: Path) -> str:
    """What the command says that ends at once with exit status 3."""
    environment = {**os.environ, **settings.environment(url), "KUBECONFIG": str(path)}
    command = [sys.executable, "-m", "cli.main", "kueue"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 3, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def _status(url: str) -> int:
    with urlopen(url, timeout=5) as answered:  # noqa: S310 - loopback
        return int(answered.status)
