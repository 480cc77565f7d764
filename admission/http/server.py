"""The server under the application: one process that answers, kept alive by the one that started it."""

import multiprocessing
import socket
from collections.abc import Mapping
from threading import Event
from typing import Any

from granian._granian import ListenerSpec
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server.mp import MPServer

from schemas.errors import InvalidSettingError
from worker.settings import Settings
from worker.site_rules import watch_rules

from ..settings import AdmissionSettings
from .certificates import CertificateWatch
from .rules_home import rules_home

APPLICATION = "admission.http.app:create"

OVERLAP_SECONDS = 3.0
"""How long a process that is replaced goes on beside the one that replaces it."""
END_SECONDS = 5
"""What calls get that are being answered when their process is told to end."""

_LOG: Mapping[str, Any] = {
    "handlers": {},
    "formatters": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}
"""The server's own lines are written with all others."""


class SharedSocketServer(MPServer):
    """The server with one listening socket for all its processes, past and to come.

    On Linux it would open one a process, and what waits at that of a process that is replaced would be reset.
    """

    def _init_shared_socket(self) -> None:
        held = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
        number = held.get_fd()
        listening = socket.socket(fileno=number)
        listening.set_inheritable(True)
        # What it sets on systems where it shares the socket by itself.
        vars(self).update(_ssp=None, _shd=held, _sfd=number, _sso=listening)


def serve(settings: Settings, of_admission: AdmissionSettings, application: str = APPLICATION) -> None:
    """Serves what ``application`` names until SIGTERM or SIGINT.

    Raises: InvalidSettingError.
    """
    # A fork would take over locks of threads that it does not have.
    multiprocessing.set_start_method("spawn", force=True)
    stop = Event()
    try:
        if settings.rules_path is not None:
            watch_rules(settings.rules_path, rules_home(settings), stop)
        server = _server(settings, of_admission, application)
        if of_admission.tls_cert_file is not None and of_admission.tls_key_file is not None:
            watch = CertificateWatch(
                certificate=of_admission.tls_cert_file,
                key=of_admission.tls_key_file,
                changed=server.signal_handler_reload,
            )
            watch.watch(stop)
        server.serve()
    finally:
        stop.set()


def _server(settings: Settings, of_admission: AdmissionSettings, application: str) -> SharedSocketServer:
    try:
        return SharedSocketServer(
            application,
            address=of_admission.host,
            port=of_admission.port,
            interface=Interfaces.ASGI,
            factory=True,
            websockets=False,
            log_level=LogLevels(settings.log_level.lower()),
            log_dictconfig=dict(_LOG),
            ssl_cert=of_admission.tls_cert_file,
            ssl_key=of_admission.tls_key_file,
            respawn_failed_workers=True,
            respawn_interval=OVERLAP_SECONDS,
            workers_kill_timeout=END_SECONDS,
        )
    except OSError as error:
        variable = AdmissionSettings.variable("tls_cert_file")
        raise InvalidSettingError(
            f"{variable}: the certificate and its key are no pair: {error}", field=variable
        ) from None
