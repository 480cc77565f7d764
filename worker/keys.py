"""Every name the service uses on its server, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The names under one prefix."""

    prefix: str

    @property
    def requests(self) -> str:
        """The stream by which a program without Celery sends requests; an entry has ``request``."""
        return f"{self.prefix}requests"

    @property
    def results(self) -> str:
        """The stream of answers; an entry has ``request_id`` and ``body``."""
        return f"{self.prefix}results"

    @property
    def bell(self) -> str:
        """The Pub/Sub channel that carries the id of each request answered."""
        return f"{self.prefix}results:bell"

    def done(self, request_id: str) -> str:
        """The entry of the results stream that answers ``request_id``, for as long as the id is known."""
        return f"{self.prefix}done:{request_id}"

    def reply(self, request_id: str) -> str:
        """The list a caller who waits for ``request_id`` pops its answer from."""
        return f"{self.prefix}reply:{request_id}"

    @property
    def replies(self) -> str:
        """Up to which entry of the results the reply lists were looked after."""
        return f"{self.prefix}replies"

    @property
    def dead(self) -> str:
        """The stream of dead letters: what could not be read, or ended its worker each time."""
        return f"{self.prefix}dead"

    @property
    def intake(self) -> str:
        """Why no new requests are taken at the moment, as JSON; no such key while they are."""
        return f"{self.prefix}intake"

    @property
    def progress(self) -> str:
        """The stream on which whoever runs a batch tells how far it is; an entry has ``body``."""
        return f"{self.prefix}progress"

    @property
    def workers(self) -> str:
        """The workers that report, as a hash from name to JSON."""
        return f"{self.prefix}workers"

    def beat(self, worker_name: str, number: int) -> str:
        """When a worker's process on the stream of requests last read it, in seconds of the server's clock."""
        return f"{self.prefix}beat:{worker_name}:{number}"

    @property
    def ledger(self) -> str:
        """When each message of a queue that is not acknowledged yet was sent, by delivery tag."""
        return f"{self.prefix}ledger"

    @property
    def ledger_messages(self) -> str:
        """Those messages themselves, by delivery tag."""
        return f"{self.prefix}ledger:messages"

    @property
    def unacked(self) -> str:
        """The messages that workers hold, by delivery tag; written by Celery's transport."""
        return f"{self.prefix}unacked"

    @property
    def unacked_index(self) -> str:
        """Since when they are held, by delivery tag; written by Celery's transport."""
        return f"{self.prefix}unacked_index"

    def queue(self, name: str) -> str:
        """The list of a queue's waiting messages."""
        return f"{self.prefix}{name}"
