"""What tasks answer, on a server in this process."""

import json
from typing import Any

import pytest
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from fakeredis import FakeRedis

from rules import recommend
from schemas.recommendation import ErrorAnswer, Recommendation
from worker.answering import Answering
from worker.app import SIZE, SIZE_MANY
from worker.channel import Publisher
from worker.delivery.dead import DeadLetters, FailedTask

GOOD: dict[str, Any] = {
    "model": {"num_parameters": 8_000_000_000},
    "weight_format": "bf16",
    "alternatives": 0,
}


@pytest.fixture
def answering(publisher: Publisher, dead: DeadLetters) -> Answering:
    """The tasks' work, with lists of at most three."""
    return Answering(publisher=publisher, dead=dead, max_list_items=3, soft_time_limit_seconds=60)


def published(redis: FakeRedis) -> dict[str, Any]:
    """Answers on the stream by request id."""
    entries = [fields for _, fields in redis.xrange("weighbridge:results")]
    return {fields["request_id"]: json.loads(fields["body"]) for fields in entries}


def test_ids_stay_the_same_on_redelivery(answering: Answering, redis: FakeRedis) -> None:
    """A message delivered twice answers under the same ids, so it answers once."""
    for _ in range(2):
        answering.size("single", (), {"request": GOOD})
        answering.size_many("list", (), {"requests": [GOOD, {**GOOD, "request_id": "own"}]})
    assert redis.xlen("weighbridge:results") == 3
    assert set(published(redis)) == {"single", "list-0", "own"}


def test_id_of_an_answer_is_the_id_that_is_told_of_it(answering: Answering, redis: FakeRedis) -> None:
    """What the client computes an answer's id to be is what the rules make of the same value."""
    values: list[Any] = [{}, 7, None, {"request_id": "é"}, {"request_id": "own"}, {"request_id": ""}]
    for number, value in enumerate(values):
        answering.size(f"task-{number}", (), {"request": value})
    assert set(published(redis)) == {"task-0", "task-1", "task-2", "task-3", "own", "task-5"}


def test_list_that_is_too_long_is_refused_item_by_item(answering: Answering, redis: FakeRedis) -> None:
    """Every caller of a list that is too long is told so."""
    answering.size_many("list", (), {"requests": [GOOD] * 4})
    answers = published(redis)
    assert set(answers) == {f"list-{index}" for index in range(4)}
    assert {answer["error"]["code"] for answer in answers.values()} == {"invalid_request"}


def test_fault_in_the_software_is_answered(
    answering: Answering, redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever fails while answering, the caller gets an internal error without its details."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("hush")

    monkeypatch.setattr(recommend, "answer", fail)
    answering.size("task", (), {"request": GOOD})
    assert published(redis)["task"]["error"]["code"] == "internal"
    assert "hush" not in json.dumps(published(redis))


def test_list_out_of_time_keeps_what_it_answered(
    answering: Answering, redis: FakeRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When time is up within a list, the requests before stay answered and the rest become errors."""
    real = recommend.answer

    def slow(value: dict[str, Any], **settings: Any) -> Recommendation | ErrorAnswer:  # noqa: ANN401 - passed on
        if value.get("request_id") == "slow":
            raise SoftTimeLimitExceeded
        return real(value, **settings)

    monkeypatch.setattr(recommend, "answer", slow)
    named = {"requests": [{**GOOD, "request_id": each} for each in ("quick", "slow", "behind")]}
    with pytest.raises(SoftTimeLimitExceeded) as raised:
        answering.size_many("list", (), named)
    answering.fail(SIZE_MANY, "list", (), named, raised.value)
    answers = published(redis)
    assert {each: answers[each]["status"] for each in answers} == {
        "quick": "ok",
        "slow": "error",
        "behind": "error",
    }


@pytest.mark.parametrize("reason", [WorkerLostError("gone"), TimeLimitExceeded(1), ValueError("hush"), None])
def test_failed_task_is_answered(
    answering: Answering, dead: DeadLetters, redis: FakeRedis, reason: BaseException | None
) -> None:
    """A task that failed for good is set aside and answered as an internal error, unless it had been answered."""
    answering.fail(SIZE, "one", (), {"request": GOOD}, reason)
    answering.fail(SIZE_MANY, "many", (), {"requests": [GOOD, {**GOOD, "request_id": "own"}]}, reason)
    answering.fail(SIZE, "bare", (), {}, reason)
    answers = published(redis)
    assert set(answers) == {"one", "many-0", "own", "bare"}
    assert answers["one"]["error"]["code"] == "internal"
    assert answers["bare"]["error"]["code"] == "invalid_request"
    many, one = dead.newest_first()
    assert (one.reason, one.source, one.request_ids) == ("failed", "sizing", ["one"])
    assert FailedTask.decode(one.message) == FailedTask(task=SIZE, task_id="one", named={"request": GOOD})
    assert (many.source, many.request_ids) == ("sizing.batch", ["many-0", "own"])


def test_heartbeat_replies_to_its_caller_only(answering: Answering, redis: FakeRedis) -> None:
    """A health check is answered in its reply list, and never on the stream."""
    answering.heartbeat({"request_id": "health-1"})
    answering.heartbeat({"request_id": 7})
    assert json.loads(redis.lpop("weighbridge:reply:health-1"))["status"] == "ok"
    assert redis.keys("*") == []


def test_list_is_handed_over_where_that_is_asked(answering: Answering, dead: DeadLetters, redis: FakeRedis) -> None:
    """All answers of a list in one piece, in order; failures too; and nothing on the stream or known by its id."""
    named = {"requests": [GOOD, {**GOOD, "request_id": "own"}], "reply_to": "batch-7"}
    answering.size_many("list", (), named)
    answering.fail(SIZE_MANY, "list", (), named, WorkerLostError("gone"))
    first, second = (
        [json.loads(line) for line in handed.split("\n")] for handed in redis.lrange("weighbridge:reply:batch-7", 0, -1)
    )
    assert [answer["request_id"] for answer in first] == ["list-0", "own"] == [each["request_id"] for each in second]
    assert [answer["status"] for answer in (*first, *second)] == ["ok", "ok", "error", "error"]
    assert 0 < redis.ttl("weighbridge:reply:batch-7") <= 30
    assert set(redis.keys("*")) == {"weighbridge:reply:batch-7", "weighbridge:dead"}
    assert next(iter(dead.newest_first())).request_ids == ["list-0", "own"]


@pytest.mark.parametrize("reply_to", [7, "", "with space", "x" * 129, ["a"], "é"])
def test_reply_list_that_may_not_be_is_refused(answering: Answering, redis: FakeRedis, reply_to: object) -> None:
    """The fault is answered where answers go that name no list."""
    answering.size_many("list", (), {"requests": [GOOD], "reply_to": reply_to})
    answer = published(redis)["list-0"]
    assert (answer["error"]["code"], answer["error"]["field"]) == ("invalid_request", "reply_to")


def test_one_request_has_no_list_to_be_handed_over(answering: Answering, redis: FakeRedis) -> None:
    """It has a reply list of its own; the fault is told where the sender looks for answers."""
    answering.size("one", (), {"request": GOOD, "reply_to": "batch-7"})
    (handed,) = redis.lrange("weighbridge:reply:batch-7", 0, -1)
    assert json.loads(handed)["error"]["field"] == "reply_to"
