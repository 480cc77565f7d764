"""What ``weighbridge status`` tells: one look at the server and at who works for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from redis.exceptions import RedisError

from schemas.progress import BatchProgress

from ..connection import away, connect
from ..keys import Keys
from ..settings import QUEUES, Settings
from .batches import read_batches
from .registry import Registry, WorkerReport
from .server_state import ServerState, read_server_state


@dataclass(frozen=True, kw_only=True)
class Status:
    """One look at the whole service."""

    now: int
    """The server's clock, in Unix seconds."""
    server: ServerState
    workers: Mapping[str, WorkerReport]
    """By name."""
    batches: Sequence[BatchProgress]
    """Those told of lately."""


def read_status(settings: Settings, url: str) -> Status:
    """What there is at this moment.

    Raises: UnavailableError when the server does not answer.
    """
    redis = connect(url, patience=1)
    keys = Keys(prefix=settings.key_prefix)
    registry = Registry(redis=redis, keys=keys)
    try:
        now = registry.now()
        return Status(
            now=now,
            server=read_server_state(redis, keys, QUEUES),
            workers=registry.workers(),
            batches=read_batches(redis, keys, now),
        )
    except RedisError as error:
        raise away(url, error) from error
    finally:
        redis.close()
