"""Log lines as text or as JSON: what a line has, and how a process is made to write them."""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

from ..settings import LogFormat, Settings
from .secrets import Mask, mask_for

TEXT = "[%(asctime)s: %(levelname)s/%(processName)s] %(message)s"

LOG_FIELDS = {
    "time": "when it was written, RFC 3339 in UTC",
    "level": "DEBUG, INFO, WARNING, ERROR or CRITICAL",
    "logger": "the module that wrote it",
    "message": "what happened, for people",
    "worker": "WEIGHBRIDGE_WORKER_NAME",
    "pid": "the process that wrote it",
    "action": "what was being done, in a stable word",
    "request_id": "the request that it is about",
    "task_id": "the message that it is about, where Celery wrote the line",
    "exception": "the traceback",
}
"""The fields of a JSON line; from ``action`` on, each only where there is one."""

FREE_TEXT = ("message", "request_id", "task_id", "exception")
"""Those in which anything may stand."""

ACTIONS = {
    "start": "a process begins, or cannot",
    "ready": "the worker answers its first health check",
    "serve": "what the supervisor does meanwhile: a worker or a server that ended is started again",
    "stop": "the worker was told to end",
    "crash": "a process or a thread ended by a fault",
    "answer": "a request was answered, or could not be",
    "recommend": "a request met a fault in the software",
    "refuse": "a message was answered with an error before its requests were looked at",
    "give_back": "a message went back to the queue, because its answers could not be published",
    "dead_letter": "a message was set aside: it could not be read, or ended its workers",
    "resend": "a message that vanished was sent again",
    "intake_closed": "no new requests are taken",
    "intake_open": "new requests are taken again",
    "reload_rules": "a site's rules came into force",
    "refuse_rules": "a site's rules are broken; those before stay in force",
    "watch_rules": "a site's folder could not be looked at",
    "load_rules": "a process could not load the rules in force",
    "wait_for_rules": "a process on the stream waits until the site's rules are in force",
    "serve_stream": "the stream of requests could not be read or answered",
    "leave_stream": "a process on the stream could not hand back what it held",
    "upkeep": "a round of looking for lost messages could not be made",
    "report": "the worker could not report itself",
    "decide": "an object that a cluster asked about met a fault in the software",
    "reload_certificate": "the certificate of the HTTP front door changed, and could be read or not",
    "trace": "traces cannot be exported",
    "check": "a workload of a cluster was answered, or could not be",
    "follow": "what changes on a cluster could not be followed, and is listed anew",
    "lead": "a controller began to work or ended, or cannot hold its lease",
}
"""Every ``action`` there is: a word here never changes its meaning."""


Said = Literal["start", "ready", "serve", "stop"]
"""Those of what a supervisor tells whoever runs it."""

_said = logging.getLogger("worker.supervisor")


class TextLines(logging.Formatter):
    """Lines for people, with no password in them."""

    def __init__(self, mask: Mask) -> None:
        super().__init__(TEXT)
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback below it."""
        return self._mask(super().format(record))


class JsonLines(logging.Formatter):
    """One object a line, with no password in it."""

    def __init__(self, worker: str, mask: Mask) -> None:
        super().__init__()
        self._worker = worker
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """The object; ASCII, so that no encoding of the stream can fail or split it."""
        data = getattr(record, "data", None)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            "worker": self._worker,
            "pid": record.process,
            "action": getattr(record, "action", None),
            "request_id": getattr(record, "request_id", None),
            "task_id": data.get("id") if isinstance(data, dict) else None,
            "exception": self.formatException(record.exc_info) if record.exc_info else record.exc_text,
        }
        line |= {name: self._mask(str(line[name])) for name in FREE_TEXT if line[name] is not None}
        return json.dumps({name: value for name, value in line.items() if value is not None})


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        # Arguments that do not suit their text lose the arguments, not the line.
        return str(record.msg)


def write_log(settings: Settings) -> None:
    """Makes this process, and those forked from it, write its log to standard error, whoever else set it up.

    What ends a process or a thread is logged too: a bare traceback would be no JSON, and could show a password.
    """
    handler = logging.StreamHandler(sys.stderr)
    mask = mask_for(settings.url)
    is_json = settings.log_format == "json"
    handler.setFormatter(JsonLines(settings.worker_name, mask) if is_json else TextLines(mask))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_crash
    threading.excepthook = lambda ended: _log_crash(ended.exc_type, ended.exc_value, ended.exc_traceback)


def leave_celery_out(log_format: LogFormat) -> None:
    """Keeps Celery from setting up a log of its own in this process and in its pool's."""
    from celery import signals  # noqa: PLC0415 - the supervisor writes a log without it
    from celery.apps import worker  # noqa: PLC0415

    def is_set_up(**_: Any) -> None:  # noqa: ANN401 - what Celery would have it be
        """Celery leaves it all to whoever listens."""

    signals.setup_logging.connect(is_set_up, weak=False)
    if log_format == "json":
        # Beside its log it says in plain text that it was told to end, which the supervisor says too.
        worker.safe_say = lambda *_: None


def _log_crash(kind: type[BaseException], error: BaseException | None, traceback: TracebackType | None) -> None:
    if not issubclass(kind, SystemExit):
        info = (kind, error or kind(), traceback)
        logging.getLogger(__name__).critical("ended by a fault", exc_info=info, extra={"action": "crash"})


def say_in_log(line: str, action: Said = "serve") -> None:
    """Tells whoever runs the command a line by its log, whatever the level of that is."""
    _said.setLevel(logging.INFO)
    _said.info("%s", line, extra={"action": action})
