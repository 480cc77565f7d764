"""The server under the application: one process that answers, kept alive by the one that started it."""

import multiprocessing
import socket
import time
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
from .steering import steer

APPLICATION = "admission.http.app:create"

DRAIN_SECONDS = 2.0
"""For how long a process that is replaced is left with what came before the next one took over."""
END_SECONDS = 5
"""What calls get that are being answered when their process is told to end."""

_LOOK_SECONDS = 0.05

_LOG: Mapping[str, Any] = {
    "handlers": {},
    "formatters": {},
    "loggers": {"_granian": {"handlers": [], "propagate": True}},
}
"""The server's own lines are written with all others."""


class HandingOverServer(MPServer):
    """The server, with processes that are replaced without a lost connection.

    Left to itself it ends a process while connections wait at its socket or are still agreeing on keys.  Here the next
    process has a socket of its own, new connections are steered to that, and the last one ends when no more came for a
    while.  A process that ended by itself leaves its socket to the next, with whatever waits there.
    """

    def _init_shared_socket(self) -> None:
        held = ListenerSpec(self.bind_addr, self.bind_port, self.backlog).build()
        number = held.get_fd()
        listening = socket.socket(fileno=number)
        listening.set_inheritable(True)
        # What it sets itself on systems where processes share a socket.
        vars(self).update(_ssp=None, _shd=held, _sfd=number, _sso=listening)

    def _respawn_workers(self, workers: Any, spawn_target: Any, target_loader: Any, delay: float = 0) -> None:  # noqa: ANN401 - as its own
        if not delay:
            super()._respawn_workers(workers, spawn_target, target_loader)
            return
        (number,) = workers
        socket_before, before = self._listening, self.wrks[number]
        steer(socket_before, 0)
        self._init_shared_socket()
        after: Any = self._spawn_worker(number, spawn_target, target_loader)
        self.wrks[number] = after
        after.start()
        while after.is_alive() and not self._listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            time.sleep(_LOOK_SECONDS)
        steer(self._listening, 1)
        time.sleep(delay)
        before.terminate()
        before.join(END_SECONDS)
        if before.is_alive():
            before.kill()
            before.join()
        socket_before.close()

    @property
    def _listening(self) -> socket.socket:
        listening: socket.socket = vars(self)["_sso"]
        return listening


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
        server = _server(settings, of_admission, _free_address(of_admission), application)
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


def _server(settings: Settings, of_admission: AdmissionSettings, host: str, application: str) -> HandingOverServer:
    try:
        return HandingOverServer(
            application,
            address=host,
            port=of_admission.port,
            interface=Interfaces.ASGI,
            factory=True,
            websockets=False,
            log_level=LogLevels(settings.log_level.lower()),
            log_dictconfig=dict(_LOG),
            ssl_cert=of_admission.tls_cert_file,
            ssl_key=of_admission.tls_key_file,
            respawn_failed_workers=True,
            respawn_interval=DRAIN_SECONDS,
            workers_kill_timeout=END_SECONDS,
        )
    except OSError as error:
        variable = AdmissionSettings.variable("tls_cert_file")
        raise InvalidSettingError(
            f"{variable}: the certificate and its key are no pair: {error}", field=variable
        ) from None


def _free_address(of_admission: AdmissionSettings) -> str:
    """The address of the host, at which nobody listens yet: the server would share a port that somebody else has."""
    host, port = of_admission.host, of_admission.port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, _, _, _, place = next((each for each in found if each[0] == socket.AF_INET), found[0])
        socket.create_server(place, family=family).close()
    except OSError as error:
        variable = AdmissionSettings.variable("port")
        why = f"{variable}: {host}:{port} cannot be had: {error.strerror or error}"
        raise InvalidSettingError(why, field=variable, hint="choose another port or host") from None
    return str(place[0])
