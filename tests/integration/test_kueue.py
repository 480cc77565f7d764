"""Workloads of a cluster weighed by a real worker over a real queue."""

import asyncio
from typing import Any

from redis import Redis

from admission.context import Identity
from admission.kueue.deciding import over_the_queue
from admission.kueue.kinds import PARAMETERS
from admission.kueue.over_the_queue import QueueWeigher
from admission.settings import AdmissionSettings
from schemas.recommendation import Recommendation
from tests.unit.admission.kueue.api_server import KINDS, serving
from tests.unit.admission.kueue.objects import NAMESPACE, a_check, a_flavor, a_workload, pending
from tests.unit.admission.kueue.running import controller, until
from worker.client import Client
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
