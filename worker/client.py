"""The client: puts requests on the queue and reads the answers; it knows the tasks by name only."""

import json
import os
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from kombu.exceptions import KombuError, OperationalError
from pydantic import ValidationError
from redis.exceptions import NoPermissionError, RedisError
from uuid6 import uuid7

from schemas.errors import InvalidRequestError, QueueFullError, UnavailableError, WeighbridgeError
from schemas.progress import BatchProgress
from schemas.recommendation import ANSWER, ErrorAnswer, Recommendation
from schemas.request import SizingRequest

from .app import BATCH, SIZE, SIZE_MANY, create_app
from .connection import away, connect
from .embedded import address
from .identity import id_in_list, request_id_of
from .keys import Keys
from .reader import Entry, Reader, Start, popped
from .settings import Settings
from .telemetry.registry import Registry, WorkerReport
from .telemetry.tracing import sending, traces_for

Answer = Recommendation | ErrorAnswer

CHUNK_ITEMS = 100
CHUNK_BYTES = 512 * 1024
"""A list is sent when it holds this many requests or characters, whichever comes first."""

PROGRESS_ENTRIES = 1000
"""Kept on the progress stream, about."""


class Client:
    """A connection to the queue, to be used in a ``with`` block.

    Every method raises UnavailableError, within seconds, when the server does not answer.
    """

    def __init__(self, settings: Settings, url: str) -> None:
        self.url = url
        self._app = create_app(settings, url)
        self._traces = traces_for("weighbridge-client", os.environ)
        if self._traces is not None:
            self._traces.start()
        self._redis = connect(url, patience=1)
        self._keys = Keys(prefix=settings.key_prefix)
        self._reader = Reader(redis=self._redis, keys=self._keys)

    @classmethod
    def open(cls, settings: Settings) -> Self:
        """A client of the configured server, or else of the embedded one that runs in the home folder.

        Raises: UnavailableError when there is neither.
        """
        return cls(settings, address(settings))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connections back."""
        self._app.close()
        self._redis.close()
        if self._traces is not None:
            self._traces.close()

    def submit(
        self, request: SizingRequest | Mapping[str, Any], *, queue: str | None = None, patience: float = 0.0
    ) -> str:
        """Puts one request on the queue; the id its answer will carry.

        It is not validated here: a bad request is answered like any other, on the results stream.

        Raises: InvalidRequestError when it is not even JSON, or too long; QueueFullError when no requests were taken
        for ``patience`` seconds; UnavailableError.
        """
        value, _ = _prepared(request)
        task_id = str(uuid7())
        self._send(SIZE, {"request": value}, task_id, queue, patience)
        return request_id_of(value, task_id)

    def submit_many(
        self,
        requests: Iterable[SizingRequest | Mapping[str, Any]],
        *,
        chunk: int = CHUNK_ITEMS,
        queue: str | None = None,
        patience: float = 0.0,
    ) -> list[str]:
        """Puts requests on the queue in lists of ``chunk``, as ``requests`` yields them; the ids, in order.

        Much cheaper than one by one.

        Raises: InvalidRequestError when one is not even JSON, or too long; QueueFullError when no requests were taken
        for ``patience`` seconds; UnavailableError.  Earlier lists are sent all the same.
        """
        request_ids: list[str] = []
        waiting: list[Mapping[str, Any]] = []
        size = 0
        task_id = str(uuid7())
        for request in requests:
            value, length = _prepared(request)
            if waiting and (len(waiting) >= chunk or size + length > CHUNK_BYTES):
                self._send(SIZE_MANY, {"requests": waiting}, task_id, queue, patience)
                waiting, size, task_id = [], 0, str(uuid7())
            request_ids.append(request_id_of(value, id_in_list(task_id, len(waiting))))
            waiting.append(value)
            size += length
        if waiting:
            self._send(SIZE_MANY, {"requests": waiting}, task_id, queue, patience)
        return request_ids

    def send_list(self, requests: Sequence[Mapping[str, Any]], *, list_id: str, reply_to: str) -> None:
        """Puts a list of requests, of JSON values alone, on the queue; its answers go to the reply list ``reply_to``.

        One that may have been sent, or whose answers may have been lost, can be sent again under its ``list_id``:
        its answers may then come twice.

        Raises: QueueFullError; UnavailableError.
        """
        self._send(SIZE_MANY, {"requests": requests, "reply_to": reply_to}, list_id, None, 0.0)

    def take(self, reply_lists: Sequence[str], *, timeout: float) -> tuple[str, list[str]] | None:
        """The answers of one list, as JSON, with which of ``reply_lists`` they came by; None if none came in time.

        Raises: UnavailableError.
        """
        named = {self._keys.reply(name): name for name in reply_lists}
        with self._unavailable():
            found = popped(self._redis, list(named), timeout)
        return None if found is None else (named[found[0]], found[1].split("\n"))

    def processes(self) -> int:
        """Processes that answer lists, as their workers report; 0 where none does, or where we may not look.

        Raises: UnavailableError.
        """
        return sum(worker.processes for worker in self._workers() if BATCH in worker.queues)

    def versions(self) -> list[str]:
        """The versions that workers report to answer by, each once; none where none does, or where we may not look.

        Raises: UnavailableError.
        """
        return sorted({json.dumps(worker.versions, sort_keys=True) for worker in self._workers() if worker.versions})

    def _workers(self) -> Collection[WorkerReport]:
        with self._unavailable():
            try:
                return Registry(redis=self._redis, keys=self._keys).workers().values()
            except NoPermissionError:
                return ()

    def tell_progress(self, progress: BatchProgress) -> None:
        """Tells whoever listens on the progress stream; nobody need.

        Raises: UnavailableError.
        """
        with self._unavailable():
            self._redis.xadd(
                self._keys.progress, {"body": progress.model_dump_json()}, maxlen=PROGRESS_ENTRIES, approximate=True
            )

    def newest(self) -> str:
        """The entry id of the newest answer: as ``start``, it makes results() begin with the next one."""
        with self._unavailable():
            return self._reader.newest()

    def results(
        self,
        *,
        group: str | None = None,
        consumer: str | None = None,
        start: Start = "$",
        block: float | None = 0.0,
    ) -> Iterator[tuple[str, Answer]]:
        """Answers from the results stream with their entry ids, until none came for ``block`` seconds.

        Without a group every reader sees every answer, from this call on, from the oldest kept (``start="0"``), or
        after an entry id it has seen before.  The consumers of a group share the answers; each is
        acknowledged when the next one is asked for, so one may come twice: deduplicate by request id.  A
        ``block`` of None waits for ever.
        """
        with self._unavailable():
            if group is None:
                entries = self._reader.read(start=start, block=block)
            else:
                entries = self._reader.read_as(group, consumer or f"consumer-{uuid7()}", start=start, block=block)
        return self._told(entries)

    def _told(self, entries: Iterator[Entry]) -> Iterator[tuple[str, Answer]]:
        while True:
            with self._unavailable():
                entry = next(entries, None)
            if entry is None:
                return
            yield entry.entry_id, _decoded(entry)

    def wait(self, request_id: str, *, timeout: float) -> Answer:
        """The answer to ``request_id``, also when it was given before.

        Raises: UnavailableError when none came within ``timeout`` seconds.
        """
        with self._unavailable():
            body = self._reader.wait(request_id, timeout=timeout)
        if body is None:
            raise UnavailableError(
                f"no answer to {request_id} came within {timeout:g} s",
                field="request_id",
                hint="ask again: an answer is kept for a while; or see whether a worker runs",
            )
        return _decoded(Entry(entry_id="", request_id=request_id, body=body))

    def answer(self, request_id: str) -> Answer | None:
        """The answer to ``request_id`` if it was given and is still kept; a caller who must not wait asks so.

        Raises: UnavailableError.
        """
        body = self._answered([request_id]).get(request_id)
        return None if body is None else _decoded(Entry(entry_id="", request_id=request_id, body=body))

    def wait_many(self, request_ids: Sequence[str], *, timeout: float) -> Iterator[Answer]:
        """The answers to ``request_ids``, in that order, each as soon as it is there.

        Raises: UnavailableError when they did not all come within ``timeout`` seconds.
        """
        deadline = time.monotonic() + timeout
        for start in range(0, len(request_ids), CHUNK_ITEMS):
            chunk = request_ids[start : start + CHUNK_ITEMS]
            known = self._answered(chunk)
            for index, request_id in enumerate(chunk):
                if request_id in known:
                    yield _decoded(Entry(entry_id="", request_id=request_id, body=known[request_id]))
                    continue
                yield self.wait(request_id, timeout=max(0.0, deadline - time.monotonic()))
                known |= self._answered(chunk[index + 1 :])

    def _answered(self, request_ids: Sequence[str]) -> dict[str, str]:
        with self._unavailable():
            return self._reader.answered(request_ids)

    def _send(self, task: str, arguments: dict[str, object], task_id: str, queue: str | None, patience: float) -> None:
        deadline = time.monotonic() + patience
        while True:
            try:
                with self._unavailable(), sending(self._traces, task, queue, task_id, arguments) as headers:
                    # Celery would put the arguments' text into the message a second time, for monitors that nobody
                    # runs.
                    self._app.send_task(
                        task,
                        kwargs=arguments,
                        task_id=task_id,
                        queue=queue,
                        headers=headers,
                        argsrepr="()",
                        kwargsrepr="{…}",
                    )
            except QueueFullError as error:
                if time.monotonic() + error.retry_after_seconds > deadline:
                    raise
                time.sleep(error.retry_after_seconds)
            else:
                return

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, KombuError, RedisError, OSError) as error:
            raise away(self.url, error) from error


def _prepared(request: SizingRequest | Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """What to send, with an id if the request has none, and how many characters that takes."""
    if isinstance(request, SizingRequest):
        value: Mapping[str, Any] = request.model_dump(mode="json", exclude_unset=True)
    elif isinstance(request, Mapping):
        value = request
    else:
        raise InvalidRequestError("a request is a JSON object", hint="send a mapping or a SizingRequest")
    if value.get("request_id") is None:
        value = {**value, "request_id": str(uuid7())}
    try:
        text = json.dumps(dict(value), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidRequestError(
            f"the request cannot be written as JSON: {error}",
            hint="use strings, finite numbers, lists and objects",
        ) from None
    # The text is read again so that what is sent is exactly what JSON can say: a tuple, for one, becomes a
    # list.
    return json.loads(text), len(text)


def _decoded(entry: Entry) -> Answer:
    try:
        return ANSWER.validate_json(entry.body)
    except ValidationError:
        error = WeighbridgeError(
            f"the entry {entry.entry_id or entry.request_id} is no answer that this version can read",
            hint="read it with the version of Weighbridge that wrote it",
        )
        return ErrorAnswer.of(entry.request_id or entry.entry_id, error)
