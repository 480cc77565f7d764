"""A worker's pulse: small requests sent through its queue again and again, and when one was last answered."""

import threading
import time
from typing import TYPE_CHECKING

from kombu.exceptions import OperationalError
from pydantic import ValidationError
from redis.exceptions import RedisError
from uuid6 import uuid7

from schemas.recommendation import ANSWER, Recommendation, Versions

from ..app import HEARTBEAT, create_app, health_queue
from ..connection import connect
from ..keys import Keys
from ..reader import SLICE_SECONDS, popped
from ..settings import Settings

if TYPE_CHECKING:
    from redis import Redis

INTERVAL_SECONDS = 5.0
LATELY_SECONDS = 30.0
"""A worker that answered within it is at work now."""
MARGIN_SECONDS = 15.0


class Pulse:
    """What is known of a worker without asking it: whoever probes it adds no load."""

    def __init__(self, settings: Settings, url: str) -> None:
        self._settings = settings
        self._url = url
        self._answered: float | None = None
        self._away = float("-inf")
        self._versions: Versions | None = None
        # What is answered late counts too, so that one list serves all.
        self._reply_to = f"health-{uuid7()}"
        self.longest_wait_seconds = settings.prefetch * settings.hard_time_limit_seconds + MARGIN_SECONDS
        """A small request waits for no longer behind what a worker holds that works as it should."""

    @property
    def age_seconds(self) -> float | None:
        """How long ago a small request was answered; None before the first."""
        return None if self._answered is None else time.monotonic() - self._answered

    @property
    def versions(self) -> Versions | None:
        """What the newest answer was given by; None before the first."""
        return self._versions

    @property
    def is_ready(self) -> bool:
        """Whether one was answered lately."""
        return self._answered is not None and time.monotonic() - self._answered <= LATELY_SECONDS

    @property
    def is_healthy(self) -> bool:
        """Whether one was answered as lately as can be asked of a worker that is busy with the slowest requests.

        While the server is away nothing can be asked of the worker, and it is as healthy as it was.
        """
        if self._answered is None:
            return False
        return time.monotonic() - max(self._answered, self._away) <= max(LATELY_SECONDS, self.longest_wait_seconds)

    def beat(self, stop: threading.Event) -> threading.Thread:
        """A thread that takes the pulse until ``stop`` is set."""
        thread = threading.Thread(target=self._beat, args=(stop,), name="pulse", daemon=True)
        thread.start()
        return thread

    def take(self, body: str) -> None:
        """Notes what the worker answered just now."""
        try:
            answer = ANSWER.validate_json(body)
        except ValidationError:
            return
        if isinstance(answer, Recommendation):
            self._answered, self._versions = time.monotonic(), answer.versions

    def server_away(self) -> None:
        """Notes that the server did not answer just now."""
        self._away = time.monotonic()

    def _beat(self, stop: threading.Event) -> None:
        app = create_app(self._settings, self._url)
        client = connect(self._url, patience=0)
        keys = Keys(prefix=self._settings.key_prefix)
        queue = health_queue(self._settings.worker_name)
        try:
            while not stop.is_set():
                try:
                    # Where one waits that nobody took, another would only wait behind it.
                    if not client.llen(keys.queue(queue.name)):
                        app.send_task(
                            HEARTBEAT, kwargs={"request_id": self._reply_to}, queue=queue, delivery_mode="transient"
                        )
                    self._listen(client, keys.reply(self._reply_to), stop)
                except (OperationalError, RedisError, OSError):
                    self.server_away()
                    stop.wait(SLICE_SECONDS)
        finally:
            client.close()
            app.close()

    def _listen(self, client: "Redis", reply: str, stop: threading.Event) -> None:
        """Takes answers until the next request is due."""
        due = time.monotonic() + INTERVAL_SECONDS
        while not stop.is_set() and (left := due - time.monotonic()) > 0:
            if (found := popped(client, [reply], left)) is not None:
                self.take(found[1])
