"""Requests in by every way there is, and answers out, each counted."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from redis.exceptions import RedisError

from schemas.errors import QueueFullError, UnavailableError
from worker.client import Client
from worker.connection import connect
from worker.keys import Keys
from worker.reader import Reader
from worker.settings import Settings

LIST_ITEMS = 20
PAUSE_SECONDS = 0.2
GROUP = "slow"


def a_request(number: int) -> dict[str, Any]:
    """One of several kinds of request, with an id of its own."""
    return {
        "request_id": f"{number:06d}",
        "model": {"name": ("Qwen/Qwen3-8B", "meta-llama/Llama-3.1-8B-Instruct", "no/such-model")[number % 3]},
        "weight_format": ("bf16", "fp8")[number // 3 % 2],
        "hardware": {"gpu": ("RTX 3090", "H100-SXM-80GB")[number // 6 % 2], "count": 1 + number // 12 % 2},
        "alternatives": 0,
    }


class Producers:
    """Three threads: single tasks, lists, and entries of the stream; each sends until it is told that it was taken."""

    def __init__(self, settings: Settings, url: str, total: int, share: Callable[[], float]) -> None:
        self._settings = settings
        self._url = url
        self._share = share
        self.total = total
        third = total // 3
        numbers = {
            self._singles: range(third),
            self._lists: range(third, 2 * third),
            self._entries: range(2 * third, total),
        }
        self._threads = [threading.Thread(target=way, args=(own,), daemon=True) for way, own in numbers.items()]
        self.refused = 0
        """Times one was told to come back later."""

    def start(self) -> None:
        """Begins to send."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Waits until all were taken."""
        for thread in self._threads:
            thread.join()

    def _singles(self, numbers: range) -> None:
        with Client(self._settings, self._url) as client:
            for number in self._paced(numbers):
                self._until_taken(lambda number=number: client.submit(a_request(number)))  # type: ignore[misc]
                if number % 50 == 0:  # twice: the second is the same request
                    self._until_taken(lambda number=number: client.submit(a_request(number)))  # type: ignore[misc]

    def _lists(self, numbers: range) -> None:
        with Client(self._settings, self._url) as client:
            for first in self._paced(numbers[::LIST_ITEMS]):
                some = [a_request(number) for number in numbers if first <= number < first + LIST_ITEMS]
                self._until_taken(lambda some=some: client.submit_many(some))  # type: ignore[misc]

    def _entries(self, numbers: range) -> None:
        redis = connect(self._url, patience=0)
        requests = Keys(prefix=self._settings.key_prefix).requests
        for number in self._paced(numbers):
            entry: dict[Any, Any] = {"request": json.dumps(a_request(number))}
            self._until_taken(lambda entry=entry: redis.xadd(requests, entry))  # type: ignore[misc]
        redis.close()

    def _paced(self, numbers: range) -> Iterator[int]:
        """The numbers, no faster than the share of the whole that is due."""
        for place, number in enumerate(numbers):
            while place > self._share() * len(numbers):
                time.sleep(PAUSE_SECONDS)
            yield number

    def _until_taken(self, send: Callable[[], object]) -> None:
        while True:
            try:
                send()
            except (UnavailableError, QueueFullError, RedisError):
                self.refused += 1
                time.sleep(PAUSE_SECONDS)
            else:
                return


class SlowConsumer:
    """Reads the results in a group, more slowly than they come, over every absence of the server."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._reader = Reader(redis=connect(url, patience=0), keys=Keys(prefix=settings.key_prefix))
        self.entries: dict[str, tuple[str, str]] = {}
        """Request id and body of every entry that was read, by its id."""
        self.again = 0
        """Times an entry was read that had been read before."""
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def start(self) -> None:
        """Begins to read with the first answer there is."""
        self._thread.start()

    def stop(self) -> None:
        """Reads to the end and stops."""
        self._enough.set()
        self._thread.join()
        self._reader.redis.close()

    def _read(self) -> None:
        while True:
            try:
                read = self._read_some()
            except RedisError:
                time.sleep(PAUSE_SECONDS)
                continue
            if self._enough.is_set() and not read:
                return

    def _read_some(self) -> int:
        read = 0
        for entry in self._reader.read_as(GROUP, "only", start="0", block=1.0):
            self.again += entry.entry_id in self.entries
            self.entries[entry.entry_id] = (entry.request_id, entry.body)
            read += 1
            time.sleep(0.002)
        return read


def poison(settings: Settings, url: str) -> None:
    """Puts one of several things on a queue that are no message."""
    redis = connect(url, patience=20)
    bad = secrets.choice([b"\x00", b"7", b"{}", b'{"headers": {}}', b"[" * 10_000])
    redis.lpush(Keys(prefix=settings.key_prefix).queue(secrets.choice(settings.queues)), bad)
    redis.close()
