"""Requests of the controller weighed by the workers, each under an id that finds its answer again."""

import hashlib
import json
import threading
import time
from collections.abc import Mapping
from typing import Any

from schemas.errors import UnavailableError
from worker.client import Answer, Client

from ..context import Identity

QUEUE = "admission"
LOOK_SECONDS = 1.0
"""How soon one who waits notices that the process is to end."""
VERSIONS_SECONDS = 10.0
"""How long the versions that workers report are taken to be in force."""


class QueueWeigher:
    """Asks the workers of the queue ``admission``; any number of threads may share it."""

    def __init__(self, client: Client, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._versions: list[str] = []
        self._versions_until = 0.0

    def weigh(self, identity: Identity, request: Mapping[str, Any]) -> Answer:
        """The answer to ``request``, also one that was given to the same question before the controller was restarted.

        Raises: QueueFullError; UnavailableError when none came in time.
        """
        told = [identity.uid, identity.generation, identity.flavor, self._in_force(), {**request, "request_id": None}]
        request_id = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        deadline = time.monotonic() + self._timeout_seconds
        # A full queue drains in seconds, and whoever is told to come again gives its quota back.
        self._client.submit({**request, "request_id": request_id}, queue=QUEUE, patience=self._timeout_seconds / 2)
        return self._wait(request_id, deadline)

    def stop(self) -> None:
        """Has those who wait for an answer give up soon: the process cannot end before their threads do."""
        self._stop.set()

    def _wait(self, request_id: str, deadline: float) -> Answer:
        while True:
            left = max(0.0, deadline - time.monotonic())
            try:
                return self._client.wait(request_id, timeout=min(left, LOOK_SECONDS))
            except UnavailableError as error:
                is_server_there = error.field == "request_id"
                if not is_server_there or left <= LOOK_SECONDS or self._stop.is_set():
                    raise

    def _in_force(self) -> list[str]:
        with self._lock:
            if time.monotonic() >= self._versions_until:
                self._versions = self._client.versions()
                self._versions_until = time.monotonic() + VERSIONS_SECONDS
            return self._versions
