"""The certificate of the front door, watched for the day that it is renewed."""

import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread

INTERVAL_SECONDS = 1.0
"""How often the files are read: they are short, and a renewal hours before the end is in no hurry."""

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class CertificateWatch:
    """Tells when other files make a pair; half of a renewal makes none, and is looked at again."""

    certificate: Path
    key: Path
    changed: Callable[[], None]
    _known: str | None = field(default=None, init=False)
    _refused: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._known = self._digest()

    def look(self) -> None:
        """Tells of another pair, once."""
        now = self._digest()
        if now is None or now in (self._known, self._refused):
            return
        if (fault := self._fault()) is not None:
            self._refused = now
            _log.error("the new certificate is not used: %s", fault, extra={"action": "reload_certificate"})
            return
        self._known = now
        _log.info("the certificate changed", extra={"action": "reload_certificate"})
        self.changed()

    def watch(self, stop: Event) -> Thread:
        """A thread that looks until ``stop`` is set."""

        def looking() -> None:
            while not stop.wait(INTERVAL_SECONDS):
                self.look()

        thread = Thread(target=looking, name="certificate", daemon=True)
        thread.start()
        return thread

    def _digest(self) -> str | None:
        try:
            return sha256(self.certificate.read_bytes() + b"\0" + self.key.read_bytes()).hexdigest()
        except OSError:
            return None

    def _fault(self) -> str | None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except (OSError, ValueError) as error:
            return str(error)
        return None
