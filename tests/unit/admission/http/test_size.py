"""Sizing requests over HTTP, the probes and the contract."""

from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from admission.http.app import application
from admission.http.queue import Queue
from schemas.errors import QueueFullError, UnavailableError, WeighbridgeError
from schemas.recommendation import ErrorAnswer, Recommendation
from worker.settings import Settings

from ..scales import SMALL, reading, recommendation
from .doors import a_door, a_review, ask, reviewed


class ToldQueue(Queue):
    """A queue that does as it is told."""

    def __init__(self, told: WeighbridgeError | Recommendation | None) -> None:
        super().__init__(Settings(), max_waiting=1)
        self._told = told

    async def submit(self, request: Any) -> str:  # noqa: ANN401 - as its own
        """The id that the request has."""
        if isinstance(self._told, WeighbridgeError):
            raise self._told
        return str(request["request_id"])

    async def answer(self, request_id: str) -> Recommendation | ErrorAnswer | None:
        """What it was told to answer."""
        if isinstance(self._told, WeighbridgeError):
            raise self._told
        return None if self._told is None else self._told.model_copy(update={"request_id": request_id})


def test_a_request_is_answered_with_its_whole_recommendation() -> None:
    """The answer is the contract's, nulls included."""
    answered = ask(a_door(), "/v1/size", SMALL)
    assert answered.status == 200
    assert answered.json == Recommendation.model_validate_json(answered.body).model_dump(mode="json")


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 422), ({"model": {}}, 422), ([], 422), ({"model": {"name": "no/such"}}, 422)]
)
def test_a_bad_request_is_answered_with_its_error(body: object, status: int) -> None:
    """The body is the contract's error."""
    answered = ask(a_door(), "/v1/size", body)
    assert answered.status == status
    ErrorAnswer.model_validate_json(answered.body)


def test_a_request_for_later_is_accepted_with_where_to_ask() -> None:
    """202, the id, and its address; the answer is 202 until it is there, then 200."""
    door = replace(a_door(), queue=ToldQueue(None))
    accepted = ask(door, "/v1/requests", {**SMALL, "request_id": "one"})
    assert (accepted.status, accepted.headers["location"]) == (202, "/v1/requests/one")
    pending = ask(door, "/v1/requests/one", b"", method="GET")
    assert (pending.status, pending.json["status"]) == (202, "pending")
    there = ask(replace(door, queue=ToldQueue(recommendation("fits"))), "/v1/requests/one", b"", method="GET")
    assert (there.status, there.json["request_id"]) == (200, "one")


@pytest.mark.parametrize(
    ("told", "status", "again"),
    [(QueueFullError("full", retry_after_seconds=7), 429, "7"), (UnavailableError("away"), 503, "1")],
)
def test_a_queue_that_takes_nothing_says_when_to_come_back(told: WeighbridgeError, status: int, again: str) -> None:
    """Full is 429, away is 503, both with Retry-After."""
    door = replace(a_door(), queue=ToldQueue(told))
    answered = ask(door, "/v1/requests", {**SMALL, "request_id": "one"})
    assert (answered.status, answered.headers["retry-after"]) == (status, again)


def test_a_bad_request_never_reaches_the_queue() -> None:
    """It is refused where it comes in."""
    door = replace(a_door(), queue=ToldQueue(UnavailableError("away")))
    assert ask(door, "/v1/requests", {"model": {}}).status == 422


def test_probes_and_metrics() -> None:
    """Both probes are well, and decisions are counted by what was found."""
    door = a_door(reading("a"), lambda _: recommendation("fits"))
    reviewed(door, a_review())
    assert ask(door, "/healthz", b"", method="GET").status == 200
    assert ask(door, "/readyz", b"", method="GET").status == 200
    told = ask(door, "/metrics", b"", method="GET").body.decode()
    decided = 'weighbridge_admission_decisions_total{allowed="true",code="fit",mode="warn",reason="Fits"} 1.0'
    assert decided in told
    assert 'weighbridge_admission_seconds_count{path="/validate",status="200"} 1.0' in told


def test_the_contract_describes_every_path_and_its_schemas_hold() -> None:
    """Each route is in /openapi.json, each reference leads somewhere, and what is described is what is answered."""
    door = a_door(reading("a"), lambda _: recommendation("fits"))
    told = ask(door, "/openapi.json", b"", method="GET").json
    paths = {getattr(route, "path", "") for route in application(door).routes}
    assert set(told["paths"]) == paths - {"/openapi.json"}
    schema = told["paths"]["/validate"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": told["components"]}
    Draft202012Validator(whole).validate(ask(door, "/validate", a_review()).json)
    for name in told["components"]["schemas"]:
        Draft202012Validator.check_schema(told["components"]["schemas"][name])
