"""The lists of the server that make up one queue: one for each step of priority, as Celery's transport names them."""

from collections.abc import Iterator

from kombu.transport.redis import Channel


def lists_of(queue: str) -> Iterator[str]:
    """Names of the lists of ``queue``, those taken from first before the others, without the prefix of all keys."""
    for priority in Channel.priority_steps:
        yield f"{queue}{Channel.sep}{priority}" if priority else queue
