"""The front door as clusters meet it: a process, real TLS, a queue that may be away."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from worker.embedded import EmbeddedServer

from ..unit.admission.http.doors import SCHEMA, a_review
from .front_door import COMMAND, FrontDoor, front_door
from .scripted_front_door import BYPASS, REQUEST

MISFIT = {"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "RTX 4060", "count": 1}}
FITS = {"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "H100 SXM5 80GB", "count": 1}}

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "qwen", "namespace": "models"},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "nodeSelector": {"nvidia.com/gpu.product": "NVIDIA-GeForce-RTX-4060"},
                "containers": [
                    {
                        "name": "vllm",
                        "image": "vllm/vllm-openai:v0.19.0",
                        "args": ["--model", "Qwen/Qwen3-8B"],
                        "resources": {"limits": {"nvidia.com/gpu": "1"}},
                    }
                ],
            }
        },
    },
}


def a_pod(request: dict[str, Any], **annotations: str) -> dict[str, Any]:
    """A Pod that carries its sizing request."""
    told = {REQUEST: json.dumps(request), **annotations}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "annotations": told}}


def reviewed(door: FrontDoor, review: object, path: str = "/validate/enforce?timeout=10s") -> dict[str, Any]:
    """The response to ``review``, which the schema takes and which has its uid."""
    status, body = door.call(path, json.dumps(review).encode())
    assert status == 200, body
    SCHEMA.validate(json.loads(body))
    response: dict[str, Any] = json.loads(body)["response"]
    return response


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDoor]:
    """A front door without a queue, which takes bodies of 100 KB."""
    folder = tmp_path_factory.mktemp("door")
    limits = {"WEIGHBRIDGE_ADMISSION_MAX_BODY_BYTES": "100000", "WEIGHBRIDGE_ADMISSION_FAIL_OPEN": "false"}
    with front_door(folder, **limits) as opened:
        yield opened


def test_reviews_over_tls(door: FrontDoor) -> None:
    """Create, update, scale, delete, dry run and bypass, each as the contract has it, with the uid that was sent."""
    misfit, fits = a_pod(MISFIT), a_pod(FITS)
    cases: list[tuple[dict[str, Any], bool]] = [
        (a_review(object=fits), True),
        (a_review(object=misfit), False),
        (a_review(object=misfit, dryRun=True), False),
        (a_review("UPDATE", object=misfit, oldObject=misfit), True),
        (a_review("UPDATE", object=misfit, oldObject=fits), False),
        (a_review("UPDATE", object=misfit, oldObject=fits, subResource="scale"), True),
        (a_review("DELETE", object=None, oldObject=misfit), True),
        (a_review("CONNECT", object={"kind": "PodExecOptions"}, subResource="exec"), True),
        (a_review(object=a_pod(MISFIT, **{BYPASS: "measured"})), True),
        (a_review(object={"kind": "ConfigMap", "apiVersion": "v1"}), True),
    ]
    for number, (review, allowed) in enumerate(cases):
        review["request"]["uid"] = f"uid-{number}"
        response = reviewed(door, review)
        assert (response["uid"], response["allowed"]) == (f"uid-{number}", allowed), review


def test_bodies_that_are_no_reviews(door: FrontDoor) -> None:
    """Malformed is 400, too large 413, another kind 422, another method 405; the connection stays in step."""
    wrong = json.dumps(a_review() | {"kind": "Pod"}).encode()
    assert [door.call("/validate", body)[0] for body in (b"{", b" " * 200_000, wrong)] == [400, 413, 422]
    assert door.call("/validate")[0] == 405
    assert door.call("/nowhere")[0] == 404
    assert reviewed(door, a_review(object=a_pod(FITS)))["allowed"]


def test_a_slow_decision_is_answered_at_the_deadline_and_holds_nobody_up_for_good(door: FrontDoor) -> None:
    """Refused by policy before it has ended; once the slow one has ended behind it, others are weighed again."""
    began = time.monotonic()
    response = reviewed(door, a_review(object=a_pod({**FITS, "metadata": {"sleep": 2.0}})))
    assert time.monotonic() - began < 2.0
    assert (response["allowed"], response["auditAnnotations"]["reason"]) == (False, "DeadlineExceeded")
    time.sleep(max(0.0, began + 2.2 - time.monotonic()))
    assert reviewed(door, a_review(object=a_pod(FITS)))["allowed"]


def test_the_api_server_s_own_timeout_is_kept(door: FrontDoor) -> None:
    """With half a second to wait it is answered by policy, where our own deadline would have let it be weighed."""
    review = a_review(object=a_pod({**FITS, "metadata": {"sleep": 0.6}}))
    response = reviewed(door, review, "/validate/enforce?timeout=500ms")
    assert response["auditAnnotations"]["reason"] == "DeadlineExceeded"
    time.sleep(0.7)


def test_many_at_once_each_get_their_own_answer(door: FrontDoor) -> None:
    """Sixteen connections with a hundred reviews: no answer goes to another's uid."""

    def asked(lane: int) -> list[bool]:
        connection: HTTPSConnection = door.connect()
        told: list[bool] = []
        for number in range(7):
            uid, fits = f"{lane}-{number}", (lane + number) % 2 == 0
            review = a_review(uid=uid, object=a_pod(FITS if fits else MISFIT))
            connection.request("POST", "/validate/enforce", json.dumps(review))
            response = json.loads(connection.getresponse().read())["response"]
            told.append(response["uid"] == uid and response["allowed"] is fits)
        connection.close()
        return told

    with ThreadPoolExecutor(16) as lanes:
        assert all(all(told) for told in lanes.map(asked, range(16)))


def test_without_the_queue_reviews_are_weighed_and_requests_refused(door: FrontDoor) -> None:
    """No queue was ever there: a review is decided, a request for later is 503."""
    assert reviewed(door, a_review(object=a_pod(FITS)))["allowed"]
    assert door.call("/v1/requests", json.dumps(FITS).encode())[0] == 503


def test_with_redis_stopped_answers_keep_coming(own_server: EmbeddedServer, tmp_path: Path) -> None:
    """A request is taken while the queue is there; once it has gone, reviews are answered as before, in time."""
    with front_door(tmp_path, WEIGHBRIDGE_REDIS_URL=own_server.url) as door:
        status, body = door.call("/v1/requests", json.dumps(FITS).encode())
        assert status == 202
        path = f"/v1/requests/{json.loads(body)['request_id']}"
        assert (door.call(path)[0], json.loads(door.call(path)[1])["status"]) == (202, "pending")
        own_server.stop()
        with ThreadPoolExecutor(1) as beside:
            refused = beside.submit(door.call, "/v1/requests", json.dumps(FITS).encode())
            for _ in range(5):
                began = time.monotonic()
                assert not reviewed(door, a_review(object=a_pod(MISFIT)))["allowed"]
                assert time.monotonic() - began < 5.0  # half of what the queue's client waits
            assert refused.result(30)[0] == 503


def test_the_command_refuses_a_deployment_that_does_not_fit(tmp_path: Path) -> None:
    """``weighbridge serve`` reads a Deployment of vLLM, weighs it, and names what would fit; in warn mode it warns."""
    with front_door(tmp_path, COMMAND) as door:
        response = reviewed(door, a_review(object=DEPLOYMENT))
        assert (response["allowed"], response["auditAnnotations"]["code"]) == (False, "fit_with_changes")
        assert "GiB usable per GPU" in response["status"]["message"]
        assert reviewed(door, a_review(object=DEPLOYMENT), "/validate")["warnings"]
