"""Reviews, asked in process: every rule of the contract, and what no answer may lack."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from admission.http.validate import seconds_of
from admission.manifest.reading import ModelServer, Reading, Surroundings
from schemas.errors import UnavailableError
from schemas.recommendation import ErrorAnswer, Recommendation

from ..scales import SMALL, alternative, error, reading, recommendation
from .doors import a_door, a_review, ask, reviewed

Scales = Callable[[object], Recommendation]

MISFIT = recommendation(
    "does_not_fit", alternative({"workload": {"max_model_len": 4096}}, arguments=("--max-model-len 4096",))
)


def by_length(object: Mapping[str, Any], surroundings: Surroundings) -> Reading:  # noqa: A002 - Kubernetes' word
    """One model server of the length that the object's spec says."""
    del surroundings
    request = {**SMALL, "workload": {"max_model_len": object["spec"]["len"]}}
    return Reading(servers=[ModelServer(container="a", request=request)])


def a_pod(length: int, **labels: str) -> dict[str, Any]:
    """A Pod that asks for sequences of that length."""
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "labels": labels}, "spec": {"len": length}}


def test_a_refusal_has_the_figures_and_the_change_in_its_message() -> None:
    """In the mode enforce what does not fit is forbidden, and who deploys reads why."""
    response = reviewed(a_door(reading("a"), lambda _: MISFIT, mode="enforce"), a_review())
    assert (response["allowed"], response["status"]["code"], response["status"]["reason"]) == (False, 403, "Forbidden")
    assert "30.00 GiB of 20.00 GiB" in response["status"]["message"]
    assert "--max-model-len 4096" in response["status"]["message"]
    assert "warnings" not in response


def test_a_warning_lets_in_and_tells() -> None:
    """In the mode warn it is let in, with short warnings; the figures are in the message all the same."""
    response = reviewed(a_door(reading("a"), lambda _: MISFIT, mode="warn"), a_review())
    assert response["allowed"]
    assert any("FitsWithChanges" in warning for warning in response["warnings"])
    assert any("--max-model-len 4096" in warning for warning in response["warnings"])
    assert "30.00 GiB of 20.00 GiB" in response["status"]["message"]


def test_audit_annotations_say_what_was_decided_and_why_it_was_let_in() -> None:
    """Code, reason, mode, id and the reason of a bypass go to the audit log; a bypass warns nobody."""
    door = a_door(reading("a", bypass="measured by hand"), lambda _: MISFIT, mode="enforce")
    response = reviewed(door, a_review())
    told = response["auditAnnotations"]
    assert response["allowed"]
    assert "warnings" not in response
    assert (told["code"], told["reason"], told["mode"]) == ("fit_with_changes", "Bypassed", "enforce")
    assert told["bypass"] == "measured by hand"
    assert len(told["decision-id"]) == 64


@pytest.mark.parametrize(("path", "allowed"), [("off", True), ("warn", True), ("enforce", False)])
def test_the_path_names_the_mode(path: str, *, allowed: bool) -> None:
    """A webhook of one namespace label asks one path, whatever mode is set."""
    door = a_door(reading("a"), lambda _: MISFIT, mode="off" if path == "enforce" else "enforce")
    assert reviewed(door, a_review(), f"/validate/{path}")["allowed"] is allowed


def test_off_weighs_nothing() -> None:
    """In the mode off nothing is read or weighed."""
    door = a_door(reading("a"), never, mode="off")
    assert reviewed(door, a_review()) == {"uid": a_review()["request"]["uid"], "allowed": True}


def never(request: object) -> Recommendation:
    """Scales that must not be asked."""
    raise AssertionError(request)


NOT_DECIDED: dict[str, dict[str, Any]] = {
    "delete": a_review("DELETE", object=None, oldObject=a_pod(8192)),
    "connect": a_review("CONNECT", object={"kind": "PodExecOptions"}, subResource="exec"),
    "scale": a_review("UPDATE", object=a_pod(8192), oldObject=a_pod(4096), subResource="scale"),
    "status": a_review("UPDATE", object=a_pod(8192), oldObject=a_pod(4096), subResource="status"),
    "labels": a_review("UPDATE", object=a_pod(8192, team="b"), oldObject=a_pod(8192, team="a")),
    "create without an object": a_review("CREATE", object=None),
}


@pytest.mark.parametrize("case", NOT_DECIDED)
def test_what_changes_no_size_is_let_in_without_a_word(case: str) -> None:
    """Deleting, connecting, scaling and relabelling must not be refused by newer rules."""
    door = a_door(by_length, never, mode="enforce", fail_open="false")
    assert set(reviewed(door, NOT_DECIDED[case])) == {"uid", "allowed"}
    assert reviewed(door, NOT_DECIDED[case])["allowed"]


def test_an_update_that_changes_the_size_is_decided() -> None:
    """Longer sequences than before are weighed."""
    door = a_door(by_length, lambda _: MISFIT, mode="enforce")
    assert not reviewed(door, a_review("UPDATE", object=a_pod(8192), oldObject=a_pod(4096)))["allowed"]


def test_an_update_that_adds_an_ephemeral_container_is_looked_at() -> None:
    """That subresource can bring a container."""
    door = a_door(by_length, lambda _: MISFIT, mode="enforce")
    review = a_review("UPDATE", object=a_pod(2), oldObject=a_pod(1), subResource="ephemeralcontainers")
    assert not reviewed(door, review)["allowed"]


def test_a_dry_run_is_answered_like_any_other() -> None:
    """Nothing is done beside answering, so that there is nothing to leave out."""
    door = a_door(reading("a"), lambda _: MISFIT, mode="enforce")
    assert reviewed(door, a_review(dryRun=True)) == reviewed(door, a_review())


def test_a_kind_that_serves_no_model_is_let_in_without_a_warning() -> None:
    """The real reader finds nothing in a ConfigMap, a bare Pod or a kind that nobody knows."""
    door = a_door(mode="enforce", fail_open="false", allow_unknown="false")
    for made in (
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}},
        {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "image": "nginx"}]}},
        {"apiVersion": "example.org/v1", "kind": "Anything", "spec": {"deep": [[[]]]}},
    ):
        response = reviewed(door, a_review(object=made))
        assert response["allowed"]
        assert "warnings" not in response


REFUSED: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"{", 400),
    (b"\xff\xfe", 400),
    (b"[" * 200_000, 400),
    (json.dumps(a_review() | {"request": {"operation": "CREATE"}}).encode(), 400),
    (json.dumps(a_review("EAT")).encode(), 400),
    (json.dumps(a_review(uid="")).encode(), 400),
    (b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}', 400),
    (b"null", 422),
    (b"[]", 422),
    (json.dumps(a_review() | {"apiVersion": "admission.k8s.io/v1beta1"}).encode(), 422),
    (json.dumps(a_review() | {"kind": "Pod"}).encode(), 422),
]


@pytest.mark.parametrize(("body", "status"), REFUSED)
def test_what_is_no_review_is_an_error(body: bytes, status: int) -> None:
    """The API server then does what its failurePolicy says."""
    answered = ask(a_door(reading("a"), never), "/validate", body)
    assert answered.status == status
    assert answered.json["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("size", [None, 3000])
def test_what_is_too_large_is_not_read(size: int | None) -> None:
    """Whether its length is announced or found out."""
    answered = ask(a_door(reading("a"), never, max_body_bytes="2000"), "/validate", b" " * 3000, size=size)
    assert answered.status == 413


def test_an_object_as_large_as_clusters_have_is_no_bad_request() -> None:
    """An annotation of 200 KiB and managed fields nested forty deep are no reason to refuse an answer."""
    nested: dict[str, Any] = {}
    for _ in range(40):
        nested = {"f:spec": nested}
    metadata = {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "x" * 200_000}}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {**metadata, "managedFields": [{"fieldsV1": nested}]}}
    assert reviewed(a_door(mode="enforce"), a_review(object=pod))["allowed"]


@pytest.fixture
def slow() -> Iterator[Scales]:
    """Scales that take until the test is over."""
    over = threading.Event()

    def weigh(_: object) -> Recommendation:
        over.wait(60)
        return MISFIT

    yield weigh
    over.set()


@pytest.mark.parametrize(("fail_open", "code"), [("true", 200), ("false", 503)])
def test_an_answer_is_given_by_policy_at_the_deadline(slow: Scales, fail_open: str, code: int) -> None:
    """A deployment that is not weighed in time is let in with a warning, or refused for the time being."""
    door = a_door(reading("a"), slow, mode="enforce", fail_open=fail_open, deadline_seconds="0.05")
    response = reviewed(door, a_review())
    assert response["auditAnnotations"]["reason"] == "DeadlineExceeded"
    assert (response["allowed"], response["status"]["code"]) == (fail_open == "true", code)
    assert ("warnings" in response) is response["allowed"]


def test_the_api_server_may_wait_for_less_than_our_deadline(slow: Scales) -> None:
    """Its timeout less a margin is the deadline then."""
    door = a_door(reading("a"), slow, deadline_seconds="20")
    assert reviewed(door, a_review(), "/validate?timeout=250ms")["auditAnnotations"]["reason"] == "DeadlineExceeded"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10s", 10),
        ("1m30s", 90),
        ("250ms", 0.25),
        ("1.5s", 1.5),
        ("1h0m0s", 3600),
        ("", None),
        ("ten", None),
        ("5", None),
    ],
)
def test_durations_are_read_as_go_writes_them(text: str, seconds: float | None) -> None:
    """What is no duration says nothing."""
    assert seconds_of(text) == seconds


def test_too_many_waiting_are_answered_at_once(slow: Scales) -> None:
    """With room for one, and that one being weighed, the next is answered by policy."""
    door = a_door(reading("a"), slow, mode="enforce", fail_open="false", deadline_seconds="0.05", max_waiting="1")
    reviewed(door, a_review())
    response = reviewed(door, a_review())
    assert response["auditAnnotations"]["reason"] == "ServiceUnavailable"
    assert not response["allowed"]


def faulty(*_: object) -> Any:  # noqa: ANN401 - it returns nothing
    """A fault of ours."""
    raise KeyError("ours")


@pytest.mark.parametrize("fail_open", ["true", "false"])
def test_a_fault_of_ours_is_an_answer_by_policy(fail_open: str) -> None:
    """Neither reading nor weighing may end in an error that the API server has to interpret."""
    for read, weigh in ((faulty, never), (reading("a"), faulty)):
        response = reviewed(a_door(read, weigh, mode="enforce", fail_open=fail_open), a_review())
        assert response["allowed"] is (fail_open == "true")
        assert response["auditAnnotations"]["code"] == "unavailable"


def test_refusals_tell_apart_who_is_at_fault() -> None:
    """What is wrong in the object is a 422, an outage a 503."""
    outage: ErrorAnswer = error(UnavailableError)
    door = a_door(reading("a"), lambda _: outage, mode="enforce", fail_open="false")
    assert reviewed(door, a_review())["status"]["reason"] == "ServiceUnavailable"
    door = a_door(reading("a"), None, mode="enforce")
    assert reviewed(a_door(_wrong, None, mode="enforce"), a_review())["status"]["code"] == 422
    assert reviewed(door, a_review())["allowed"]


def _wrong(object: Mapping[str, Any], surroundings: Surroundings) -> Reading:  # noqa: A002 - Kubernetes' word
    del object, surroundings
    request = {**SMALL, "workload": {"max_model_len": -1}}
    return Reading(servers=[ModelServer(container="a", request=request)])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.fixed_dictionaries(
    {"apiVersion": st.sampled_from(["v1", "apps/v1"]), "kind": st.sampled_from(["Pod", "Deployment", "Job", "X"])},
    optional={"metadata": VALUES, "spec": VALUES},
)
UIDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)


@hypothesis_settings(max_examples=150)
@given(
    uid=UIDS,
    operation=st.sampled_from(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
    made=st.none() | OBJECTS,
    old=st.none() | OBJECTS,
    extra=st.dictionaries(st.sampled_from(["name", "namespace", "dryRun", "userInfo"]), VALUES, max_size=2),
)
def test_every_review_has_a_valid_answer_with_its_uid(
    uid: str, operation: str, made: dict[str, Any] | None, old: dict[str, Any] | None, extra: dict[str, Any]
) -> None:
    """Whatever the objects hold, read by the real reader."""
    review = a_review(operation, **extra, uid=uid, object=made, oldObject=old)
    assert reviewed(DOOR, review)["uid"] == uid


DOOR = a_door(mode="enforce", fail_open="false", allow_unknown="false")
