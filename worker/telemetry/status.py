"""What ``weighbridge status`` tells: one look at the server and at who works for it."""

from redis.exceptions import RedisError

from ..connection import away, connect
from ..keys import Keys
from ..settings import QUEUES, Settings
from .registry import Registry, WorkerReport
from .server_state import ServerState, read_server_state


def read_status(settings: Settings, url: str) -> tuple[int, ServerState, dict[str, WorkerReport]]:
    """The server's clock in Unix seconds, what lies on it, and the workers by name.

    Raises: UnavailableError when the server does not answer.
    """
    redis = connect(url, patience=1)
    keys = Keys(prefix=settings.key_prefix)
    registry = Registry(redis=redis, keys=keys)
    try:
        return registry.now(), read_server_state(redis, keys, QUEUES), registry.workers()
    except RedisError as error:
        raise away(url, error) from error
    finally:
        redis.close()
