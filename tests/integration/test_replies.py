"""Reply lists whose time is over, on a server that would not come upon them by itself."""

import subprocess
import time
from collections.abc import Iterator

import pytest

from worker import child
from worker.channel import Encoded, Publisher
from worker.connection import connect
from worker.embedded import find_binary, free_port
from worker.keys import Keys
from worker.replies import Replies

from .polling import eventually

KEYS = Keys(prefix="weighbridge:")


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    """The writing end on a server that forgets no key before it is looked at; replies lie for a second."""
    port = str(free_port())
    command = [str(find_binary("auto").path), "--port", port, "--bind", "127.0.0.1", "--save", ""]
    server = child.start([*command, "--enable-debug-command", "local"], output=subprocess.DEVNULL)
    redis = connect(f"redis://127.0.0.1:{port}/0", patience=8)
    assert eventually(lambda: bool(redis.ping()), within=10)
    redis.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")  # type: ignore[no-untyped-call]
    yield Publisher(redis=redis, keys=KEYS, result_ttl_seconds=3600, reply_ttl_seconds=1, results_maxlen=10_000)
    redis.close()
    child.end(server, patience_seconds=10)


def test_replies_whose_time_is_over_take_no_room(publisher: Publisher) -> None:
    """They go when they are looked after, however many they are; one that was laid again stays, and so do the ids."""
    answers = [Encoded(request_id=str(number), body="{}") for number in range(1200)]
    publisher.publish(answers)
    time.sleep(2.1)  # the clock of the script has whole seconds
    publisher.publish(answers[-1:])
    before = int(publisher.redis.dbsize())
    Replies(redis=publisher.redis, keys=KEYS, reply_ttl_seconds=1).forget()
    # One reply was laid again, and how far this has come is a key of its own.
    assert before - int(publisher.redis.dbsize()) == len(answers) - 1 - 1
    assert publisher.redis.lrange(KEYS.reply("1199"), 0, -1) == ["{}"]
    assert publisher.redis.exists(KEYS.done("0"))
