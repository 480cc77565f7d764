"""Celery's Redis transport with three things it lacks: a ledger, an intake that can close, and a look at what it takes.

It is named in the Celery app's settings, for producers and workers alike; a producer with the stock transport is served
as well, without the ledger.
"""

from collections.abc import Callable, Collection
from typing import Any

from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps
from redis.exceptions import ConnectionError  # noqa: A004

from schemas.errors import InvalidRequestError, QueueFullError

from ..keys import Keys
from .envelope import MalformedMessageError, check, parse
from .ledger import SEND
from .qos import QoS
from .signature import Signer

Refuse = Callable[[MalformedMessageError, str, bytes], object]
"""What becomes of a message that cannot be given to a task: told why, its queue, and the message."""

WHY_FULL = {
    "queue": "as many requests wait as may",
    "memory": "the server's memory is as full as may be",
    "results": "those who read the results are too far behind",
}


class Channel(redis.Channel):  # type: ignore[misc]  # kombu has no types
    """Sends into the ledger, and takes only what is fit for a task."""

    QoS = QoS
    supports_batch_publish = False
    from_transport_options = (
        *redis.Channel.from_transport_options,
        "tasks",
        "refuse",
        "signer",
        "max_message_bytes",
        "max_deliveries",
        "queue_high_water",
        "intake_memory_fraction",
        "retry_after_seconds",
    )

    tasks: Collection[str] = ()
    refuse: Refuse
    signer: Signer | None = None
    max_message_bytes: int
    max_deliveries: int
    queue_high_water: int
    intake_memory_fraction: float
    retry_after_seconds: int
    counts_deliveries = False

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:  # noqa: ANN401 - kombu's own
        """Raises: InvalidRequestError when the message is too long; QueueFullError; with nothing sent."""
        if self.signer is not None:
            self.signer.sign(message)
        # A transient message, such as a health check, is of no use to anybody later.
        if message["properties"].get("delivery_mode") == 1:
            super()._put(queue, message, **kwargs)
            return
        keys = Keys(prefix=self.global_keyprefix)
        priority = self._get_message_priority(message, reverse=False)
        text = dumps(message)
        if len(text) > self.max_message_bytes:
            raise InvalidRequestError(
                f"the request takes {len(text)} bytes as a message, more than {self.max_message_bytes}",
                hint="send shorter requests, or fewer in one list",
            )
        # What a worker sends again was let in before.
        is_new = not message["headers"].get("retries")
        with self.conn_or_acquire() as client:
            refused = client.eval(
                SEND,
                4,
                *(keys.queue(self._q_for_pri(queue, priority)), keys.ledger, keys.ledger_messages, keys.intake),
                *(text, message["properties"]["delivery_tag"], int(is_new)),
                *(self.queue_high_water, self.intake_memory_fraction),
            )
        if refused:
            self._tell_full(bytes_to_str(refused))

    def _tell_full(self, reason: str) -> None:
        seconds = self.retry_after_seconds
        raise QueueFullError(
            f"no requests are taken at the moment: {WHY_FULL.get(reason, reason)}",
            hint=f"try again in {seconds} s",
            retry_after_seconds=seconds,
        )

    def _connparams(self, asynchronous: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - kombu's own
        # Now and then kombu sends by a channel that it closed when the server went, and would tell of an attribute
        # that None lacks.  This it takes for a lost connection: it sends again by a new one, or says so.
        if self.connection is None:
            raise ConnectionError("the channel was closed")
        return super()._connparams(asynchronous)

    def _create_client(self, asynchronous: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - kombu's own
        client = super()._create_client(asynchronous)
        if asynchronous:
            # Where the reply to BRPOP comes in, before kombu decodes what is in it.
            client.parse_response = self._fit_only(client.parse_response)
        return client

    def _fit_only(self, parse_response: Callable[..., Any]) -> Callable[..., Any]:
        def parse(connection: object, command: str, **options: object) -> Any:  # noqa: ANN401 - any reply
            reply = parse_response(connection, command, **options)
            if command != "BRPOP" or not reply:
                return reply
            queue = bytes_to_str(reply[0]).rsplit(self.sep, 1)[0]
            return reply if self._is_fit(queue, reply[1]) else None

        return parse

    def _is_fit(self, queue: str, message: bytes) -> bool:
        try:
            self._check(queue, message)
        except MalformedMessageError as error:
            self.refuse(error, queue, message)
            return False
        return True

    def _check(self, queue: str, message: bytes) -> None:
        envelope = parse(message, max_message_bytes=self.max_message_bytes)
        # First of all: whatever else is wrong is told to whom the message names, and a forger must not name anybody.
        if self.signer is not None:
            self.signer.check(envelope)
        check(envelope, queue, self.tasks)
        if (lost := envelope.headers.deliveries) >= self.max_deliveries:
            raise MalformedMessageError("workers_lost", f"{lost} workers were lost while they held it", envelope)

    def _do_restore_message(
        self,
        payload: dict[str, Any],
        exchange: str,
        routing_key: str,
        pipe: Any,  # noqa: ANN401 - a pipeline of kombu's
        leftmost: bool = False,  # noqa: FBT001, FBT002 - kombu's signature
    ) -> None:
        if self.counts_deliveries:
            payload["headers"]["deliveries"] = payload["headers"].get("deliveries", 0) + 1
        super()._do_restore_message(payload, exchange, routing_key, pipe, leftmost)
        # It waits in other words than it was sent in: those a sweep has to look for.
        keys = Keys(prefix=self.global_keyprefix)
        waiting = keys.queue(self._q_for_pri(routing_key, self._get_message_priority(payload, reverse=False)))
        tag = payload["properties"]["delivery_tag"]
        pipe.hset(Keys(prefix="").ledger_messages, tag, f"{waiting} {dumps(payload)}")


class Transport(redis.Transport):  # type: ignore[misc]  # kombu has no types
    """The transport for both ends of a queue."""

    Channel = Channel
