"""What ``weighbridge kueue`` runs: the controller, while it holds the lease, with its probes."""

import asyncio
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from schemas.decision import Mode
from worker.server import Say
from worker.settings import Settings
from worker.telemetry.endpoint import probe_page, serving

from .cluster import Cluster
from .controller import Controller
from .deciding import Decide
from .election import Election
from .kinds import KueueKinds
from .parameters import Parameters
from .settings import KueueSettings

BEAT_SECONDS = 1.0
STUCK_SECONDS = 30.0
"""An event loop that did nothing for so long is beyond hope."""
AWAY_SECONDS = 60.0
"""A lease that could not be looked at for so long means that the cluster is away."""


class Vitals:
    """What the probes look at, from threads of their own."""

    def __init__(self) -> None:
        self._beat = time.monotonic()
        self._round = 0.0
        self._controller: Controller | None = None

    def beat(self) -> None:
        """The event loop turns."""
        self._beat = time.monotonic()

    def answered(self) -> None:
        """The API server answered about the lease."""
        self._round = time.monotonic()

    @contextmanager
    def leading(self, controller: Controller) -> Iterator[None]:
        """The controller works during the block."""
        self._controller = controller
        try:
            yield
        finally:
            self._controller = None

    def unhealthy(self) -> str | None:
        """What only a restart would mend."""
        return "the event loop is stuck" if time.monotonic() - self._beat > STUCK_SECONDS else None

    def unready(self) -> str | None:
        """What keeps it from working, or from standing by."""
        if not self._round or time.monotonic() - self._round > AWAY_SECONDS:
            return "the API server does not answer"
        return None if self._controller is None else self._controller.fault


def serve(settings: Settings, kueue: KueueSettings, mode: Mode, decide: Decide, say: Say) -> int:
    """Serves until SIGTERM or SIGINT; the exit status.

    Raises: ClusterAwayError when no cluster is configured or it does not answer at the start; ObjectNotFoundError when
    it has no Kueue; InvalidSettingError when the port for probes cannot be had.
    """
    vitals, default = Vitals(), Parameters(mode=mode, annotate=kueue.annotate)
    if settings.metrics_port is None:
        asyncio.run(_serve(kueue, default, decide, say, vitals))
        return 0
    pages = {"/healthz": probe_page(vitals.unhealthy), "/readyz": probe_page(vitals.unready)}
    with serving(settings.metrics_host, settings.metrics_port, pages) as address:
        say(f"probes: {address}/healthz, /readyz", "start")
        asyncio.run(_serve(kueue, default, decide, say, vitals))
    return 0


async def _serve(settings: KueueSettings, default: Parameters, decide: Decide, say: Say, vitals: Vitals) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Cluster.of_surroundings() as cluster:
        kinds = await KueueKinds.served(cluster)

        async def work() -> None:
            controller = Controller(
                cluster=cluster,
                kinds=kinds,
                decide=decide,
                default=default,
                concurrency=settings.concurrency,
            )
            with vitals.leading(controller):
                await controller.run()

        election = Election(
            cluster=cluster,
            namespace=settings.namespace,
            name=settings.lease,
            identity=settings.identity,
            beat=vitals.answered,
        )
        say(
            f"ready: {settings.identity} stands for {settings.lease}, Kueue {kinds.workloads.version}",
            "ready",
        )
        leading = asyncio.ensure_future(election.lead(work))
        beating = asyncio.ensure_future(_beat(vitals))
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({leading, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            say("stopping: the lease is given back", "stop")
        for task in (leading, beating, stopping):
            task.cancel()
        ended, *_ = await asyncio.gather(leading, beating, stopping, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


async def _beat(vitals: Vitals) -> None:
    while True:
        vitals.beat()
        await asyncio.sleep(BEAT_SECONDS)
