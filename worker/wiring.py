"""The parts of the service, put together from its settings."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .answering import Answering
from .app import ANSWERED
from .channel import Publisher
from .connection import connect
from .delivery.dead import DeadLetters
from .delivery.intake import Intake
from .delivery.ledger import Ledger
from .delivery.refusals import Refusals
from .delivery.signature import Signer
from .keys import Keys
from .replies import Replies
from .settings import QUEUES, Settings
from .telemetry.answers import AnswersNoted, answers_noted
from .upkeep import Upkeep

if TYPE_CHECKING:
    from redis import Redis


@dataclass(frozen=True)
class Wiring:
    """What one process uses on the server at ``url``; made when it is first asked for."""

    settings: Settings
    url: str
    patience: int = 8
    """Times a command is tried again: a worker has time, a command at a prompt has not."""
    place: str | None = None
    """Which of a worker's processes this is, where it is none of a pool."""

    @cached_property
    def keys(self) -> Keys:
        """The names on the server."""
        return Keys(prefix=self.settings.key_prefix)

    @cached_property
    def redis(self) -> "Redis":
        """A client that reads text."""
        return connect(self.url, patience=self.patience)

    @cached_property
    def raw(self) -> "Redis":
        """A client that reads bytes."""
        return connect(self.url, patience=self.patience, decode=False)

    @cached_property
    def publisher(self) -> Publisher:
        """Writes answers."""
        return Publisher(
            redis=self.redis,
            keys=self.keys,
            result_ttl_seconds=self.settings.result_ttl_seconds,
            reply_ttl_seconds=self.settings.reply_ttl_seconds,
            results_maxlen=self.settings.results_maxlen,
        )

    @cached_property
    def dead(self) -> DeadLetters:
        """Keeps dead letters."""
        return DeadLetters(
            redis=self.raw,
            keys=self.keys,
            maxlen=self.settings.dead_maxlen,
            max_message_bytes=self.settings.max_message_bytes,
        )

    @cached_property
    def signer(self) -> Signer | None:
        """Checks signatures; None where none are asked for."""
        key = self.settings.signing_key
        return Signer(key.get_secret_value().encode()) if key else None

    @cached_property
    def noted(self) -> AnswersNoted:
        """What this process notes of answers."""
        return answers_noted(self.settings, self.place)

    @cached_property
    def answering(self) -> Answering:
        """Answers requests, however they came."""
        return Answering(
            publisher=self.publisher,
            dead=self.dead,
            max_list_items=self.settings.max_list_items,
            soft_time_limit_seconds=self.settings.soft_time_limit_seconds,
            sources=self.settings.sources,
            rules_home=None if self.settings.rules_path is None else self.settings.rules_home,
            noted=self.noted,
        )

    @cached_property
    def ledger(self) -> Ledger:
        """Finds lost messages."""
        return Ledger(redis=self.raw, keys=self.keys, queues=QUEUES, max_deliveries=self.settings.max_deliveries)

    @cached_property
    def refusals(self) -> Refusals:
        """Deals with what cannot be given to a task."""
        return Refusals(
            publisher=self.publisher, dead=self.dead, ledger=self.ledger, tasks=ANSWERED, signer=self.signer
        )

    @cached_property
    def intake(self) -> Intake:
        """Watches the way in."""
        return Intake(
            redis=self.redis,
            keys=self.keys,
            memory_fraction=self.settings.intake_memory_fraction,
            results_maxlen=self.settings.results_maxlen,
            result_ttl_seconds=self.settings.result_ttl_seconds,
            retry_after_seconds=self.settings.retry_after_seconds,
        )

    @cached_property
    def upkeep(self) -> Upkeep:
        """Keeps the service whole."""
        return Upkeep(
            intake=self.intake,
            ledger=self.ledger,
            refusals=self.refusals,
            replies=Replies(redis=self.redis, keys=self.keys, reply_ttl_seconds=self.settings.reply_ttl_seconds),
            gone_seconds=self.settings.visibility_timeout_seconds,
        )

    def close(self) -> None:
        """Gives the connections back."""
        self.redis.close()
        self.raw.close()
