"""``/healthz``, ``/readyz`` and ``/metrics``."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from .door import Door

STUCK_SECONDS = 30.0
"""The thread that weighs is stuck when it has been at one object for this long."""


@dataclass(frozen=True, kw_only=True)
class Probes:
    """How the front door is."""

    door: Door

    async def healthz(self, _: Request) -> Response:
        """200 unless only a restart can help: then the thread that weighs is stuck for good."""
        return self._probe(STUCK_SECONDS)

    async def readyz(self, _: Request) -> Response:
        """200 unless calls should go to another replica: then nothing has been weighed for longer than a deadline."""
        return self._probe(max(1.0, 2 * self.door.settings.deadline_seconds))

    async def metrics(self, request: Request) -> Response:
        """What is counted, in the format that the caller prefers."""
        self.door.metrics.waits(self.door.thread.waiting)
        reply = self.door.metrics.page(request.headers.get("accept", ""))
        return Response(reply.body, status_code=reply.status, headers={"content-type": reply.content_type})

    def _probe(self, longest_seconds: float) -> Response:
        busy = self.door.thread.busy_seconds
        if busy > longest_seconds:
            return PlainTextResponse(f"one object has been weighed for {busy:.0f} s\n", status_code=503)
        return PlainTextResponse("ok\n")
