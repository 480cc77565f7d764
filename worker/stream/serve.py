"""One process on the stream of requests, put together and run."""

import logging
import signal
import threading
import time
from contextlib import suppress

from redis.exceptions import RedisError

from rules.reload_status import read_status

from ..answering import Answering
from ..connection import connect
from ..keys import Keys
from ..settings import Settings
from .beat import Beat
from .consumer import SLEEP_SECONDS, Consumer
from .intake import Intake
from .outbox import Outbox
from .time_limits import TimeLimits

logger = logging.getLogger(__name__)

TICK_SECONDS = 0.2


def serve(settings: Settings, url: str, number: int) -> int:
    """Answers the stream at ``url`` until told to stop, as the worker's process ``number``; the exit status."""
    logging.basicConfig(level=settings.log_level, format="[%(asctime)s: %(levelname)s/stream] %(message)s")
    # An error is waited out by the loop, which then looks after what the lost reply may have been.
    text = connect(url, patience=0)
    keys = Keys(prefix=settings.key_prefix)
    intake = Intake(
        redis=connect(url, patience=0, decoded=False),
        stream=keys.requests,
        consumer=f"{settings.worker_name}-{number}",
        batch=settings.stream_batch,
        max_bytes=settings.max_message_bytes,
        visibility_timeout_seconds=settings.visibility_timeout_seconds,
    )
    answering = Answering.configured(settings, text)
    outbox = Outbox(text, answering.publisher)
    limits = TimeLimits(soft_seconds=settings.soft_time_limit_seconds, hard_seconds=settings.hard_time_limit_seconds)
    consumer = Consumer(settings, intake, answering, outbox, limits, Beat(text, settings, number))
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: consumer.stop())
    if settings.rules_path is not None:
        _wait_for_rules(settings, consumer)
    if not consumer.is_stopping:
        answering.warm_up()
        threading.Thread(target=_mind_the_clock, args=(limits, outbox), name="clock", daemon=True).start()
        consumer.run()
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
