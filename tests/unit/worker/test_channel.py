"""The results channel on a server in this process."""

from fakeredis import FakeRedis

from worker.channel import CHUNK_ITEMS, Encoded, Publisher
from worker.reader import Reader

from .conftest import KEYS


def answers(*request_ids: str, body: str = "{}") -> list[Encoded]:
    """Answers with one body."""
    return [Encoded(request_id=request_id, body=body) for request_id in request_ids]


def test_names_on_the_server_are_the_contract() -> None:
    """Programs in other languages find the channel under these names."""
    assert KEYS.results == "weighbridge:results"
    assert KEYS.bell == "weighbridge:results:bell"
    assert KEYS.done("7") == "weighbridge:done:7"
    assert KEYS.reply("7") == "weighbridge:reply:7"


def test_answer_goes_everywhere_at_once(publisher: Publisher, redis: FakeRedis) -> None:
    """One publication writes the stream entry, the done key and the reply list, each with its lifetime."""
    (entry,) = publisher.publish(answers("7", body="é"))
    assert redis.xrange("weighbridge:results") == [(entry, {"request_id": "7", "body": "é"})]
    assert redis.get("weighbridge:done:7") == entry
    assert redis.lrange("weighbridge:reply:7", 0, -1) == ["é"]
    assert 0 < redis.ttl("weighbridge:done:7") <= 60
    assert 0 < redis.ttl("weighbridge:reply:7") <= 30


def test_bell_rings_once_an_answer(publisher: Publisher, redis: FakeRedis) -> None:
    """The bell carries the ids of what is new, and of nothing else."""
    with redis.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe("weighbridge:results:bell")
        publisher.publish(answers("1", "2", "1"))
        heard = [message["data"] for _ in range(6) if (message := listener.get_message(timeout=0.1))]
    assert heard == ["1", "2"]


def test_repeated_id_publishes_nothing_and_replies_with_the_first_answer(
    publisher: Publisher, redis: FakeRedis
) -> None:
    """Within one list and across lists, the first answer to an id is the only one."""
    first = publisher.publish([*answers("7", body="first"), *answers("7", body="second")])
    assert (first[0] is None, first[1] is None) == (False, True)
    assert publisher.publish(answers("7", body="third")) == [None]
    assert redis.xlen("weighbridge:results") == 1
    assert redis.lrange("weighbridge:reply:7", 0, -1) == ["first"]


def test_repeated_id_whose_answer_is_not_kept_is_replied_to_anew(publisher: Publisher, redis: FakeRedis) -> None:
    """Where the stream has let go of the first answer, the caller gets the one computed again, and the stream none."""
    publisher.publish(answers("7", body="first"))
    redis.xtrim("weighbridge:results", maxlen=0, approximate=False)
    assert publisher.publish(answers("7", body="again")) == [None]
    assert redis.xlen("weighbridge:results") == 0
    assert redis.lrange("weighbridge:reply:7", 0, -1) == ["again"]


def test_long_list_is_published_whole(publisher: Publisher, redis: FakeRedis) -> None:
    """A list longer than one script call keeps its order, and the places of what was known."""
    request_ids = [str(number) for number in range(2 * CHUNK_ITEMS + 1)]
    publisher.publish(answers(request_ids[150]))
    entries = publisher.publish(answers(*request_ids))
    assert [index for index, entry in enumerate(entries) if entry is None] == [150]
    stream = [fields["request_id"] for _, fields in redis.xrange("weighbridge:results")]
    assert stream[1:] == [request_id for request_id in request_ids if request_id != "150"]


def test_nothing_is_published_for_an_empty_list(publisher: Publisher) -> None:
    """No answers are no entries."""
    assert publisher.publish([]) == []


def test_stream_is_trimmed(redis: FakeRedis) -> None:
    """The stream keeps about as many entries as it was told to."""
    small = Publisher(redis=redis, keys=KEYS, result_ttl_seconds=60, reply_ttl_seconds=30, results_maxlen=100)
    small.publish(answers(*map(str, range(1000))))
    assert redis.xlen("weighbridge:results") < 1000


def test_reply_leaves_the_stream_alone(publisher: Publisher, redis: FakeRedis) -> None:
    """A reply to one caller is nobody else's business."""
    publisher.hand("health", [Encoded(request_id="health", body="{}")])
    assert redis.lrange("weighbridge:reply:health", 0, -1) == ["{}"]
    assert redis.ttl("weighbridge:reply:health") > 0
    assert not redis.exists("weighbridge:results", "weighbridge:done:health")


def test_wait_finds_what_was_answered_before(publisher: Publisher, reader: Reader, redis: FakeRedis) -> None:
    """Who waits too late, or after the reply list is gone, is answered from the done key."""
    publisher.publish(answers("7", body="there"))
    redis.delete("weighbridge:reply:7")
    assert reader.wait("7", timeout=0) == "there"
    assert reader.wait("7", timeout=0) == "there"


def test_wait_gives_up(reader: Reader) -> None:
    """A wait for what does not come ends with nothing."""
    assert reader.wait("never", timeout=0.05) is None


def test_answered_tells_the_known_from_the_unknown(publisher: Publisher, reader: Reader) -> None:
    """Of many ids, those with an answer are found in one question."""
    publisher.publish(answers("1", "3"))
    assert reader.answered(["1", "2", "3"]) == {"1": "{}", "3": "{}"}
    assert reader.answered([]) == {}


def test_reader_sees_all_or_only_the_new(publisher: Publisher, reader: Reader) -> None:
    """From 0 a reader sees what is kept, from $ nothing that was there before."""
    publisher.publish(answers(*map(str, range(250))))
    assert [entry.request_id for entry in reader.read(start="0", block=0)] == [str(n) for n in range(250)]
    assert not list(reader.read(start="$", block=0))


def test_readers_of_an_empty_stream_end(reader: Reader) -> None:
    """Where nothing was ever published there is nothing to read, alone or in a group."""
    assert not list(reader.read(start="0", block=0))
    assert not list(reader.read_as("group", "one", start="0", block=0))


def test_group_gives_each_entry_to_one_consumer(publisher: Publisher, reader: Reader, redis: FakeRedis) -> None:
    """What one consumer read and acknowledged, no other of its group gets."""
    publisher.publish(answers("1", "2"))
    assert [entry.request_id for entry in reader.read_as("group", "one", start="0", block=0)] == ["1", "2"]
    assert not list(reader.read_as("group", "two", start="0", block=0))
    assert redis.xpending("weighbridge:results", "group")["pending"] == 0


def test_unacknowledged_entry_comes_back(publisher: Publisher, reader: Reader) -> None:
    """An entry that a consumer took and never acknowledged is the first it reads when it returns."""
    publisher.publish(answers("1", "2"))
    taken = next(reader.read_as("group", "one", start="0", block=0))
    again = [entry.request_id for entry in reader.read_as("group", "one", start="0", block=0)]
    assert taken.request_id == "1"
    assert again == ["1", "2"]
