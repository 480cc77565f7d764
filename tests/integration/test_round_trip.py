"""Requests through a real queue and a real worker."""

import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from rules import recommend
from schemas.recommendation import ErrorAnswer, Recommendation
from schemas.request import SizingRequest
from tests.unit.checkpoints.laying import SMALL, lay, small
from worker.app import SIZE, SIZE_MANY, create_app
from worker.client import Client
from worker.health import heartbeat
from worker.keys import Keys
from worker.settings import Settings

from .conftest import StartWorker, a_request, entries_by_id, published

Running = tuple[Settings, Client]

WAIT_SECONDS = 20.0


def send(settings: Settings, url: str, task: str, *args: object, **kwargs: object) -> str:
    """Sends a task as any Celery client could; its id."""
    app = create_app(settings, url)
    try:
        return str(app.send_task(task, args=args, kwargs=kwargs).id)
    finally:
        app.close()


def test_request_is_answered(running: Running) -> None:
    """One request comes back as one recommendation under its id."""
    _, client = running
    request_id = client.submit(SizingRequest.model_validate(a_request(note="one")))
    answer = client.wait(request_id, timeout=WAIT_SECONDS)
    assert isinstance(answer, Recommendation)
    assert (answer.request_id, answer.metadata) == (request_id, {"note": "one"})


def test_answer_is_the_one_given_in_process(running: Running, redis: Redis) -> None:
    """The bytes on the stream are the bytes that the same request gets without a queue."""
    settings, client = running
    request = {**a_request(note="é"), "request_id": "same-bytes"}
    client.submit(request)
    client.wait("same-bytes", timeout=WAIT_SECONDS)
    keys = Keys(prefix=settings.key_prefix)
    bodies = [body for request_id, body in published(redis, keys) if request_id == "same-bytes"]
    assert bodies == [recommend.encode(recommend.answer(request))]


def test_list_is_answered_item_by_item(running: Running, redis: Redis) -> None:
    """Each request of several lists gets its own answer, in the order asked, and one entry on the stream."""
    settings, client = running
    request_ids = client.submit_many((a_request(number=number) for number in range(250)), chunk=25)
    answers = list(client.wait_many(request_ids, timeout=WAIT_SECONDS))
    assert [answer.request_id for answer in answers] == request_ids
    numbers = [answer.metadata["number"] for answer in answers if isinstance(answer, Recommendation)]
    assert numbers == list(range(250))
    entries = entries_by_id(redis, Keys(prefix=settings.key_prefix))
    assert {entries[request_id] for request_id in request_ids} == {1}


def test_bad_requests_are_answered(running: Running) -> None:
    """Requests that are wrong in any way are answered as errors that say so."""
    _, client = running
    bad: list[dict[str, Any]] = [
        {},
        {"model": 7},
        {"model": {"num_parameters": -1}},
        {"model": {"num_parameters": 1}, "request_id": "not allowed é"},
        {"model": {"name": "no/such-model"}, "hardware": {"gpu": "H100"}},
    ]
    single = [client.submit(request) for request in bad]
    listed = client.submit_many(bad)
    for request_id in single + listed:
        answer = client.wait(request_id, timeout=WAIT_SECONDS)
        assert isinstance(answer, ErrorAnswer)
        assert answer.error.code in {"invalid_request", "unknown_model"}


def test_bad_request_spoils_no_other_of_its_list(running: Running) -> None:
    """A bad request in a list is answered as an error, and its neighbours as ever."""
    _, client = running
    request_ids = client.submit_many([a_request(), {"model": []}, a_request()])
    statuses = [answer.status for answer in client.wait_many(request_ids, timeout=WAIT_SECONDS)]
    assert statuses == ["ok", "error", "ok"]


def test_repeated_id_gets_the_first_answer(running: Running, redis: Redis) -> None:
    """An id sent again, even with another request, gets the first answer, and nothing new is published."""
    settings, client = running
    keys = Keys(prefix=settings.key_prefix)
    client.submit({**a_request(note="first"), "request_id": "repeated"})
    first = client.wait("repeated", timeout=WAIT_SECONDS)
    redis.delete(keys.reply("repeated"))
    client.submit({**a_request(note="second"), "request_id": "repeated"})
    again = redis.blpop([keys.reply("repeated")], timeout=WAIT_SECONDS)
    assert again is not None
    assert json.loads(again[1])["metadata"] == {"note": "first"}
    assert client.wait("repeated", timeout=WAIT_SECONDS) == first
    assert entries_by_id(redis, keys)["repeated"] == 1


@pytest.mark.parametrize(
    ("task", "args", "kwargs", "suffix"),
    [
        (SIZE, [], {}, ""),
        (SIZE, [{"model": {"num_parameters": 1}}], {}, ""),
        (SIZE, [], {"request": {"model": {"num_parameters": 1}}, "urgent": True}, ""),
        (SIZE, [], {"request": {"model": {"num_parameters": 1}}, "self": 1}, ""),
        (SIZE, [], {"request": "8B"}, ""),
        (SIZE, [], {"request": None}, ""),
        (SIZE_MANY, [], {"requests": {"model": {"num_parameters": 1}}}, ""),
        (SIZE_MANY, [], {"requests": []}, ""),
        (SIZE_MANY, [], {"request": {"model": {"num_parameters": 1}}}, ""),
        (SIZE_MANY, [], {"requests": [7]}, "-0"),
        (SIZE_MANY, [], {"requests": [None] * 1001}, "-1000"),
    ],
)
def test_wrong_arguments_are_answered(  # noqa: PLR0917 - fixtures and cases
    running: Running, url: str, task: str, args: list[object], kwargs: dict[str, object], suffix: str
) -> None:
    """Arguments that no request could have are answered as invalid under the task's id."""
    settings, client = running
    answer = client.wait(send(settings, url, task, *args, **kwargs) + suffix, timeout=WAIT_SECONDS)
    assert isinstance(answer, ErrorAnswer)
    assert answer.error.code == "invalid_request"


def test_wrong_arguments_are_answered_under_the_request_id(running: Running, url: str) -> None:
    """A caller who named its request is answered under that name, whatever else is wrong."""
    settings, client = running
    send(settings, url, SIZE, request={**a_request(), "request_id": "named"}, urgent=True)
    answer = client.wait("named", timeout=WAIT_SECONDS)
    assert isinstance(answer, ErrorAnswer)
    assert answer.error.field == "urgent"


def test_requests_without_id_get_the_task_id(running: Running, url: str) -> None:
    """A request sent without an id is answered under the task's id and its place in the list."""
    settings, client = running
    task_id = send(settings, url, SIZE, request=a_request())
    assert client.wait(task_id, timeout=WAIT_SECONDS).status == "ok"
    task_id = send(settings, url, SIZE_MANY, requests=[a_request(), a_request()])
    assert client.wait(f"{task_id}-1", timeout=WAIT_SECONDS).status == "ok"


def test_data_that_looks_like_a_python_type_stays_data(running: Running) -> None:
    """An object with the keys __type__ and __value__ reaches the answer as it was sent."""
    _, client = running
    tricky = {"__type__": "uuid", "__value__": "no uuid"}
    answer = client.wait(client.submit(a_request(tricky=tricky)), timeout=WAIT_SECONDS)
    assert isinstance(answer, Recommendation)
    assert answer.metadata == {"tricky": tricky}


def test_bell_rings_with_the_request_id(running: Running, redis: Redis) -> None:
    """Whoever listens to the bell hears the id of each request answered."""
    settings, client = running
    with redis.pubsub(ignore_subscribe_messages=True) as listener:  # type: ignore[no-untyped-call]
        listener.subscribe(Keys(prefix=settings.key_prefix).bell)
        listener.get_message(timeout=5)
        request_id = client.submit(a_request())
        client.wait(request_id, timeout=WAIT_SECONDS)
        heard = listener.get_message(timeout=5)
    assert heard is not None
    assert heard["data"] == request_id


def test_admission_queue_is_served(running: Running) -> None:
    """A request put on the admission queue is answered."""
    _, client = running
    request_id = client.submit(a_request(), queue="admission")
    assert client.wait(request_id, timeout=WAIT_SECONDS).status == "ok"


def test_groups_share_and_every_group_sees_all(running: Running) -> None:
    """Each answer goes to one consumer of a group, and each group gets every answer."""
    _, client = running
    request_ids = client.submit_many([a_request() for _ in range(20)])
    list(client.wait_many(request_ids, timeout=WAIT_SECONDS))
    first = [answer.request_id for _, answer in client.results(group="a", consumer="one", start="0")]
    second = [answer.request_id for _, answer in client.results(group="a", consumer="two", start="0")]
    other = [answer.request_id for _, answer in client.results(group="b", consumer="one", start="0")]
    assert set(request_ids) <= set(first)
    assert not second
    assert other == first


def test_unacknowledged_answer_is_read_again(running: Running) -> None:
    """A consumer that stops before it asks for the next answer gets the same answer when it returns."""
    _, client = running
    client.wait(client.submit(a_request()), timeout=WAIT_SECONDS)
    taken = next(client.results(group="c", consumer="one", start="0"))
    assert next(client.results(group="c", consumer="one", start="0")) == taken


def test_reader_from_now_on_misses_nothing(running: Running) -> None:
    """A reader that starts at the end of the stream sees what is published from then on, read at once or later."""
    _, client = running
    following = client.results(start="$", block=None)
    request_ids = [client.submit(a_request())]
    client.wait(request_ids[0], timeout=WAIT_SECONDS)
    read = [next(following)[1].request_id]
    for _ in range(3):
        request_ids.append(client.submit(a_request()))
        read.append(next(following)[1].request_id)
    assert read == request_ids


def test_health_check_goes_through_the_queue(running: Running, url: str) -> None:
    """A heartbeat is answered with the versions in use, and leaves nothing on the results stream."""
    settings, client = running
    before = sum(1 for _ in client.results(start="0"))
    answer = heartbeat(settings, url, timeout=WAIT_SECONDS)
    assert answer is not None
    assert answer.versions.rules.startswith("sha256:")
    assert sum(1 for _ in client.results(start="0")) == before


def test_health_check_fails_for_a_worker_that_is_not_there(running: Running, url: str) -> None:
    """A heartbeat to a worker that does not run is not answered by another."""
    settings, _ = running
    absent = settings.model_copy(update={"worker_name": "absent"})
    assert heartbeat(absent, url, timeout=0.5) is None


def test_worker_reads_models_below_its_root(
    settings: Settings, client: Client, start_worker: StartWorker, tmp_path: Path
) -> None:
    """Where models may be read from reaches the processes that answer; a path that is not there is answered too."""
    lay(tmp_path / "models" / "small", SMALL, small())
    start_worker(settings.model_copy(update={"model_root": tmp_path / "models"}))
    asked = [{"model": {"path": path}, "hardware": {"gpu": "RTX 4090"}} for path in ("small", "gone", "../home")]
    request_ids = client.submit_many(asked)
    found, gone, outside = client.wait_many(request_ids, timeout=WAIT_SECONDS)
    assert isinstance(found, Recommendation)
    assert (found.evidence.weights, found.verdict) == ("header", "fits")
    assert isinstance(gone, ErrorAnswer)
    assert gone.error.code == "unknown_model"
    assert isinstance(outside, ErrorAnswer)
    assert outside.error.code == "invalid_request"
