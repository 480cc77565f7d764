"""How the commands that use the queue reach it, and what they say when they cannot."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from schemas.errors import QueueFullError, UnavailableError, WeighbridgeError

from .exit_status import BAD_INPUT, UNAVAILABLE

if TYPE_CHECKING:
    from worker.client import Client
    from worker.settings import Settings
    from worker.wiring import Wiring


def read_settings() -> "Settings":
    """The settings of the environment; a bad one ends the command with exit status 2."""
    from worker.settings import Settings

    with errors_told():
        return Settings.from_environment(os.environ)


@contextmanager
def open_client() -> Iterator["Client"]:
    """A client of the queue; what goes wrong ends the command with a message and an exit status."""
    from worker.client import Client

    with errors_told(), Client.open(read_settings()) as client:
        yield client


def _tell(line: str) -> None:
    click.echo(line, err=True)


@contextmanager
def open_wiring() -> Iterator["Wiring"]:
    """The service's own parts on the server; what goes wrong is told as of a client.

    Raises: UnavailableError, also where the server goes away meanwhile.
    """
    from redis.exceptions import RedisError

    from worker.connection import away
    from worker.embedded import address
    from worker.wiring import Wiring

    settings = read_settings()
    wiring = Wiring(settings, address(settings), patience=1)
    try:
        yield wiring
    except RedisError as error:
        raise away(wiring.url, error) from None
    finally:
        wiring.close()


@contextmanager
def errors_told(tell: Callable[[str], object] = _tell) -> Iterator[None]:
    """Tells of an error, by default on standard error: exit status 3 when the server is away or closed, else 2."""
    try:
        yield
    except WeighbridgeError as error:
        tell(f"error: {error.message}")
        if error.hint:
            tell(f"hint: {error.hint}")
        sys.exit(UNAVAILABLE if isinstance(error, UnavailableError | QueueFullError) else BAD_INPUT)
