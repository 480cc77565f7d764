"""Whether a worker works: a request comes back through its queue and its rules, and its stream is read."""

import time

from kombu.exceptions import OperationalError
from pydantic import ValidationError
from redis.exceptions import RedisError
from uuid6 import uuid7

from schemas.recommendation import ANSWER, Recommendation

from .app import HEARTBEAT, create_app, health_queue
from .connection import connect
from .keys import Keys
from .reader import popped
from .settings import Settings
from .stream.beat import silent

LOOK_SECONDS = 0.2


def heartbeat(settings: Settings, url: str, *, timeout: float) -> Recommendation | None:
    """What the worker named in the settings answers to a small request; None if nothing good came in time.

    It is answered on a queue of that worker's own, so a backlog does not make a busy worker look dead.
    """
    request_id = f"health-{uuid7()}"
    deadline = time.monotonic() + timeout
    app = create_app(settings, url)
    client = connect(url, patience=0)
    try:
        app.send_task(
            HEARTBEAT,
            kwargs={"request_id": request_id},
            queue=health_queue(settings.worker_name),
            expires=timeout,
            delivery_mode="transient",
        )
        reply = Keys(prefix=settings.key_prefix).reply(request_id)
        while (left := deadline - time.monotonic()) > 0:
            if (found := popped(client, [reply], left)) is not None:
                answer = ANSWER.validate_json(found[1])
                return answer if isinstance(answer, Recommendation) else None
    except (OperationalError, RedisError, ValidationError):
        return None
    finally:
        client.close()
        app.close()
    return None


def stream_is_read(settings: Settings, url: str, *, timeout: float) -> bool:
    """Whether all of the worker's processes on the stream of requests read it, or begin to in time."""
    deadline = time.monotonic() + timeout
    client = connect(url, patience=0)
    try:
        while silent(client, settings):
            if time.monotonic() >= deadline:
                return False
            time.sleep(LOOK_SECONDS)
    except RedisError:
        return False
    finally:
        client.close()
    return True
