"""Connections to the queue's server that give up in bounded time, and addresses fit to be shown."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import BusyLoadingError, ConnectionError, OutOfMemoryError, TimeoutError  # noqa: A004
from redis.retry import Retry

from schemas.errors import UnavailableError

SOCKET_TIMEOUT_SECONDS = 5
"""A frozen server blocks a caller without it for ever."""
CONNECT_TIMEOUT_SECONDS = 2


def connect(url: str, *, patience: int, decode: bool = True) -> "redis.Redis":
    """A client of the server at ``url`` that tries a command up to ``patience`` times again, with pauses.

    What it reads is text, or bytes where ``decode`` is false.

    Trying again is safe for everything sent through it: publishing is idempotent by request id, and what a
    blocking pop or a group read may lose on the way back is found again by its reader.
    """
    temporary = (ConnectionError, TimeoutError, BusyLoadingError, OutOfMemoryError)
    return redis.Redis.from_url(
        url,
        decode_responses=decode,
        protocol=2,  # one shape of reply, whichever redis-py is installed
        socket_timeout=SOCKET_TIMEOUT_SECONDS,
        socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
        socket_keepalive=True,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), patience, supported_errors=temporary),
    )


def tls_options(url: str) -> dict[str, Any] | None:
    """What Celery's transport is to be told of TLS for ``url``, the same as ``connect`` does; None for plain text.

    Left to itself it verifies nothing, or, where the transport has a name of its own, does without TLS altogether.
    """
    if not url.startswith("rediss://"):
        return None
    given = {name: value for name, value in parse_qsl(urlsplit(url).query) if name.startswith("ssl_")}
    return {**given, "ssl_cert_reqs": "required", "ssl_check_hostname": True}


def away(url: str, error: Exception) -> UnavailableError:
    """What is told of ``error``, with which the server at ``url`` did not answer."""
    return UnavailableError(
        f"the server at {masked(url)} does not answer: {error}",
        hint="see that the server runs and that WEIGHBRIDGE_REDIS_URL names it",
    )


def masked(url: str) -> str:
    """``url`` with its password and its options hidden, for people and logs."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    user = parts.username or ""
    shown = f"{user}:**@{host}" if parts.password else host
    return urlunsplit((parts.scheme, shown, parts.path, "", ""))
