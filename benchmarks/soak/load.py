"""Requests at a steady pace by every way in, and how long each took to be answered."""

import json
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

from redis.exceptions import RedisError
from uuid6 import uuid7

from schemas.errors import WeighbridgeError
from worker.client import Client
from worker.connection import connect
from worker.keys import Keys
from worker.reader import Reader
from worker.settings import Settings

MODELS = ("Qwen/Qwen3-8B", "Qwen/Qwen3-235B-A22B", "meta-llama/Llama-3.1-70B-Instruct", "mistralai/Mixtral-8x7B-v0.1")
GPUS = ("RTX 3090", "RTX 4090", "H100-SXM-80GB", "RTX 5090")
FORMATS = ("bf16", "fp8", "awq-int4")
LIST_ITEMS = 20
BURST = 2 * LIST_ITEMS
"""Requests of one turn: half of them in a list, a quarter one by one, a quarter on the stream."""


def a_request() -> dict[str, Any]:
    """One of many requests, with an id of its own."""
    choose = random.choice
    return {
        "request_id": str(uuid7()),
        "model": {"name": choose(MODELS)},
        "weight_format": choose(FORMATS),
        "hardware": {"gpu": choose(GPUS), "count": choose((1, 2, 4, 8))},
        "alternatives": choose((0, 0, 0, 3)),
    }


class Load:
    """A sender and a reader, each a thread."""

    def __init__(self, settings: Settings, url: str, a_second: float | None) -> None:
        self._settings, self._url = settings, url
        self._a_second = a_second
        """None sends as soon as what was sent is answered."""
        self._sent_at: dict[str, float] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._read_all = threading.Event()
        self.sent = self.answered = self.twice = self.errors = self.refused = 0
        self._seconds: list[float] = []
        self._threads = [threading.Thread(target=self._send), threading.Thread(target=self._read)]

    def start(self) -> None:
        """Begins."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Sends no more, and reads until all is answered, for at most a minute."""
        self._stop.set()
        self._threads[0].join()
        deadline = time.monotonic() + 60
        while self.open and time.monotonic() < deadline:
            time.sleep(0.1)
        self._read_all.set()
        self._threads[1].join()

    @property
    def open(self) -> int:
        """Requests sent and not answered yet."""
        with self._lock:
            return len(self._sent_at)

    def take_seconds(self) -> list[float]:
        """How long each took that was answered since the last time, shortest first."""
        with self._lock:
            seconds, self._seconds = self._seconds, []
        return sorted(seconds)

    def _send(self) -> None:
        redis = connect(self._url, patience=2)
        requests = Keys(prefix=self._settings.key_prefix).requests
        with Client(self._settings, self._url) as client:
            for _ in self._turns():
                turn = [a_request() for _ in range(BURST)]
                listed, single, entered = turn[:LIST_ITEMS], turn[LIST_ITEMS:-10], turn[-10:]
                try:
                    self._note(listed)
                    client.submit_many(listed)
                    for request in single:
                        self._note([request])
                        client.submit(request)
                    for request in entered:
                        self._note([request])
                        redis.xadd(requests, {"request": json.dumps(request)})
                except (WeighbridgeError, RedisError):
                    self.refused += 1
        redis.close()

    def _turns(self) -> Iterator[None]:
        due = time.monotonic()
        while not self._stop.is_set():
            if self._a_second is None:
                while self.open > 4 * BURST and not self._stop.is_set():
                    time.sleep(0.002)
            else:
                due += BURST / self._a_second
                time.sleep(max(0.0, due - time.monotonic()))
            yield

    def _note(self, requests: list[dict[str, Any]]) -> None:
        now = time.monotonic()
        with self._lock:
            self._sent_at |= {request["request_id"]: now for request in requests}
        self.sent += len(requests)

    def _read(self) -> None:
        reader = Reader(redis=connect(self._url, patience=2), keys=Keys(prefix=self._settings.key_prefix))
        while not self._read_all.is_set():
            for entry in reader.read_as("soak", "only", start="0", block=0.5):
                with self._lock:
                    began = self._sent_at.pop(entry.request_id, None)
                    if began is None:
                        self.twice += 1
                    else:
                        self._seconds.append(time.monotonic() - began)
                        self.answered += 1
                self.errors += '"status":"error"' in entry.body
        reader.redis.close()
