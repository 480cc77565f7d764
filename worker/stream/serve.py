"""One process on the stream of requests, put together and run."""

import logging
import os
import signal
import threading
import time
from contextlib import suppress
from multiprocessing import current_process

from redis.exceptions import RedisError

from rules.reload_status import read_status

from ..settings import Settings
from ..wiring import Wiring
from .beat import Beat
from .consumer import SLEEP_SECONDS, Consumer
from .entry import Terms
from .inbox import Inbox
from .outbox import Outbox
from .time_limits import TimeLimits

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2


def serve(settings: Settings, url: str, number: int) -> int:
    """Answers the stream at ``url`` until told to stop, as the worker's process ``number``; the exit status."""
    os.nice(settings.niceness)
    current_process().name = f"stream-{number}"  # as logged
    # An error is waited out by the loop, which then looks after what the lost reply may have been.
    wiring = Wiring(settings, url, patience=0, place=f"stream-{number}")
    inbox = Inbox(
        redis=wiring.raw,
        stream=wiring.keys.requests,
        consumer=f"{settings.worker_name}-{number}",
        batch=settings.stream_batch,
        terms=Terms(max_bytes=settings.max_message_bytes, signer=wiring.signer),
        visibility_timeout_seconds=settings.visibility_timeout_seconds,
    )
    outbox = Outbox(wiring.redis, wiring.publisher, wiring.noted)
    limits = TimeLimits(soft_seconds=settings.soft_time_limit_seconds, hard_seconds=settings.hard_time_limit_seconds)
    consumer = Consumer(settings, inbox, wiring.answering, outbox, limits, Beat(wiring.redis, settings, number))
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: consumer.stop())
    if settings.rules_path is not None:
        _wait_for_rules(settings, consumer)
    if not consumer.is_stopping:
        wiring.noted.start()
        wiring.answering.warm_up()
        threading.Thread(target=_mind_the_clock, args=(limits, outbox), name="clock", daemon=True).start()
        consumer.run()
        wiring.noted.close()
    return 0


def _mind_the_clock(limits: TimeLimits, outbox: Outbox) -> None:
    while True:
        time.sleep(TICK_SECONDS)
        limits.tick()
        if outbox.is_due():
            with suppress(RedisError):  # the loop tries again, and says so
                outbox.flush()


def _wait_for_rules(settings: Settings, consumer: Consumer) -> None:
    """Waits until the worker's main process has put the site's rules in force, as its pool does."""
    told = False
    while read_status(settings.rules_home) is None and not consumer.is_stopping:
        if not told:
            logger.warning("waiting until the site's rules are in force", extra={"action": "wait_for_rules"})
            told = True
        time.sleep(SLEEP_SECONDS)
