"""Workers that are killed while they hold requests."""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from schemas.recommendation import Answer, ErrorAnswer
from worker.client import Client
from worker.keys import Keys
from worker.settings import Settings

from .conftest import ScriptedWorker, StartWorker, a_request, entries_by_id, is_alive
from .polling import eventually

BACK_SECONDS = 45.0
"""Visibility timeout, one sweep and a worker's start, on a busy machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A queue of one test's own, who works on it, and what may be asked of both."""

    start_worker: StartWorker
    client: Client
    settings: Settings
    redis: Redis
    keys: Keys
    folder: Path
    """Where each process of a pool leaves a file when it begins one of ``request``."""

    def request(self, sleep_seconds: float) -> dict[str, Any]:
        """A request that takes so long and leaves the file."""
        return a_request(sleep_seconds=sleep_seconds, at_work=str(self.folder))

    def held(self) -> int:
        """Messages that workers took and did not acknowledge."""
        return int(self.redis.hlen(f"{self.settings.key_prefix}unacked"))

    def settled(self) -> bool:
        """Whether no message waits or is held."""
        queues = (f"{self.settings.key_prefix}{queue}" for queue in self.settings.queues)
        return self.held() == 0 and sum(int(self.redis.llen(queue)) for queue in queues) == 0

    def all_at_work(self, worker: ScriptedWorker) -> bool:
        """Whether every process of the worker's pool has begun a request.

        Then the worker holds as much as it may, and is past the moment between taking a message and noting it, in
        which Celery's late acknowledgement cannot help (celery/celery#4354).
        """
        pool = list(pool_of(worker.pid))
        return bool(pool) and all((self.folder / str(pid)).exists() for pid in pool)

    def answers(self, request_ids: list[str], within: float = BACK_SECONDS) -> list[Answer]:
        """The answer to each request."""
        return list(self.client.wait_many(request_ids, timeout=within))

    def assert_each_is_published_once(self, request_ids: list[str]) -> None:
        """Nothing waits any longer, and the stream has one entry for each of these and no other."""
        assert eventually(self.settled, within=BACK_SECONDS)
        assert entries_by_id(self.redis, self.keys) == dict.fromkeys(request_ids, 1)


@pytest.fixture
def scene(  # noqa: PLR0917 - fixtures
    start_worker: StartWorker, client: Client, settings: Settings, redis: Redis, keys: Keys, tmp_path: Path
) -> Scene:
    """The scene of this test alone."""
    return Scene(start_worker=start_worker, client=client, settings=settings, redis=redis, keys=keys, folder=tmp_path)


def pool_of(pid: int) -> Iterator[int]:
    """The processes that ``pid`` started."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, path.read_text(encoding="utf-8").split())


def test_killed_worker_loses_nothing_and_repeats_nothing(scene: Scene) -> None:
    """Requests held by a worker that is killed, twice, are all answered by the next, each exactly once."""
    request_ids = [scene.client.submit(scene.request(0.7)) for _ in range(8)]
    request_ids += scene.client.submit_many([scene.request(0.15) for _ in range(10)], chunk=5)
    for _ in range(2):
        worker = scene.start_worker(scene.settings)
        assert eventually(lambda worker=worker: scene.all_at_work(worker), within=20)  # type: ignore[misc]
        worker.kill()
        assert scene.held() >= scene.settings.concurrency
    scene.start_worker(scene.settings)
    assert {answer.status for answer in scene.answers(request_ids)} == {"ok"}
    scene.assert_each_is_published_once(request_ids)


def test_answer_published_before_the_kill_is_not_published_again(scene: Scene) -> None:
    """A list killed between publishing and acknowledgement is delivered again and changes nothing."""
    worker = scene.start_worker(scene.settings)
    request_ids = scene.client.submit_many([scene.request(0.2) for _ in range(5)])
    assert eventually(lambda: any(scene.folder.iterdir()), within=20)
    # Its pool goes on and publishes, but a stopped parent acknowledges nothing.
    os.kill(worker.pid, signal.SIGSTOP)
    answers = scene.answers(request_ids, within=20)
    worker.kill()
    assert scene.held() == 1
    scene.start_worker(scene.settings)
    assert eventually(scene.settled, within=BACK_SECONDS)
    assert scene.answers(request_ids, within=1) == answers
    scene.assert_each_is_published_once(request_ids)


def test_killed_pool_process_loses_nothing(scene: Scene) -> None:
    """Requests held by a pool process that is killed are run again, without the visibility timeout."""
    limits = {"soft_time_limit_seconds": 40, "hard_time_limit_seconds": 50, "visibility_timeout_seconds": 600}
    worker = scene.start_worker(scene.settings.model_copy(update=limits))
    # Long enough that one process cannot have done all of them before the other is up, on a busy machine either.
    request_ids = [scene.client.submit(scene.request(2.0)) for _ in range(4)]
    assert eventually(lambda: scene.all_at_work(worker), within=20)
    os.kill(next(pool_of(worker.pid)), signal.SIGKILL)
    assert {answer.status for answer in scene.answers(request_ids)} == {"ok"}
    scene.assert_each_is_published_once(request_ids)


def test_request_that_kills_its_process_is_answered(scene: Scene) -> None:
    """A request that ends every process it runs in is answered as an error, and others meanwhile as ever."""
    scene.start_worker(scene.settings)
    deadly = scene.client.submit(a_request(dies=True))
    deadly_list = scene.client.submit_many([a_request(dies=True), a_request()])
    harmless = [scene.client.submit(a_request()) for _ in range(3)]
    assert {answer.status for answer in scene.answers(harmless)} == {"ok"}
    for answer in scene.answers([deadly, *deadly_list]):
        assert isinstance(answer, ErrorAnswer)
        assert answer.error.code == "internal"
    assert eventually(scene.settled, within=20)


@pytest.mark.parametrize("many", [False, True])
def test_request_that_takes_too_long_is_answered(scene: Scene, *, many: bool) -> None:
    """A request over the time limit is answered as an error; what its list answered before stays answered."""
    scene.start_worker(scene.settings)
    slow = a_request(sleep_seconds=60)
    listed = [a_request(), slow, a_request()]
    request_ids = scene.client.submit_many(listed) if many else [scene.client.submit(slow)]
    answers = scene.answers(request_ids)
    assert [answer.status for answer in answers] == (["ok", "error", "error"] if many else ["error"])
    assert {answer.error.code for answer in answers if isinstance(answer, ErrorAnswer)} == {"internal"}


@pytest.mark.parametrize("sleep_seconds", [0.5, 2.5])
def test_terminated_worker_hands_back_what_it_holds(scene: Scene, sleep_seconds: float) -> None:
    """SIGTERM ends a busy worker in bounded time; what it could not finish is answered by the next, once."""
    worker = scene.start_worker(scene.settings)
    request_ids = [scene.client.submit(scene.request(sleep_seconds)) for _ in range(6)]
    assert eventually(lambda: scene.all_at_work(worker), within=20)
    os.kill(worker.pid, signal.SIGTERM)
    assert eventually(lambda: worker.exit_status() is not None, within=20)
    assert not is_alive(worker.pid)
    # Handed back at once, where the visibility timeout would have been waited out.
    assert scene.held() == 0
    scene.start_worker(scene.settings)
    assert {answer.status for answer in scene.answers(request_ids)} == {"ok"}
    scene.assert_each_is_published_once(request_ids)


def test_worker_with_nothing_in_hand_ends_at_once(start_worker: StartWorker, settings: Settings) -> None:
    """An idle worker does not sit out what a busy one would get."""
    patient = settings.model_copy(update={"soft_shutdown_seconds": 50, "visibility_timeout_seconds": 60})
    worker = start_worker(patient)
    os.kill(worker.pid, signal.SIGTERM)
    assert eventually(lambda: worker.exit_status() is not None, within=10)
    assert worker.exit_status() == 0
