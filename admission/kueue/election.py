"""Which of several controllers works: the one that holds the lease."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from .cluster import Cluster, Object
from .errors import ClusterAwayError, ObjectChangedError, ObjectNotFoundError
from .kinds import LEASES
from .moment import to_microseconds

RELEASE_SECONDS = 3.0
"""What giving the lease back may take of the time that a process has to end."""

_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Election:
    """A lease that one holder at a time renews.

    Clocks of machines are not compared: a lease has run out when it was not renewed for as long as it lasts by the
    clock of whoever looks.
    """

    cluster: Cluster
    namespace: str
    name: str
    identity: str
    lease_seconds: float = 15.0
    renew_seconds: float = 4.0
    give_up_seconds: float = 10.0
    """A holder that could not renew for so long stops, before another can begin."""
    beat: Callable[[], None] = lambda: None
    """Called each time the server answered."""
    _seen: tuple[Any, ...] = field(default=(), init=False)
    _seen_at: float = field(default=0.0, init=False)

    async def lead(self, work: Callable[[], Awaitable[None]]) -> None:
        """Works whenever it holds the lease, until cancelled."""
        try:
            while True:
                if not await self._round():
                    await asyncio.sleep(self.renew_seconds)
                    continue
                _log.info("%s leads", self.identity, extra={"action": "lead"})
                await self._work(work)
                _log.warning("%s leads no longer", self.identity, extra={"action": "lead"})
        finally:
            await self._release()

    async def _work(self, work: Callable[[], Awaitable[None]]) -> None:
        working = asyncio.ensure_future(work())
        renewed = time.monotonic()
        try:
            while time.monotonic() - renewed < self.give_up_seconds:
                done, _ = await asyncio.wait({working}, timeout=self.renew_seconds)
                if done:
                    break
                asked = time.monotonic()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self.give_up_seconds - (asked - renewed)):
                        held = await self._round()
                    if held is False:
                        return
                    renewed = asked if held else renewed
        finally:
            if not working.done():
                working.cancel()
            await asyncio.gather(working, return_exceptions=True)
        if working.done() and not working.cancelled() and (error := working.exception()) is not None:
            raise error

    async def _round(self) -> bool | None:
        """Whether the lease is held after trying to take or renew it; None where that cannot be known."""
        try:
            held = await self._take()
        except ObjectChangedError:
            # Somebody else was quicker; the next round tells who.
            return None
        except ClusterAwayError as error:
            _log.warning("the lease cannot be renewed: %s", error.message, extra={"action": "lead"})
            return None
        self.beat()
        return held

    async def _take(self) -> bool:
        now = to_microseconds()
        try:
            lease = await self.cluster.read(LEASES, self.name, self.namespace)
        except ObjectNotFoundError:
            spec = self._spec(now, {})
            await self.cluster.create(
                LEASES, {"metadata": {"name": self.name, "namespace": self.namespace}, "spec": spec}, self.namespace
            )
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self.identity) and not self._ran_out(spec):
            return False
        await self._write(lease, self._spec(now, spec))
        return True

    def _ran_out(self, spec: Object) -> bool:
        seen = (spec.get("holderIdentity"), spec.get("renewTime"), spec.get("leaseTransitions"))
        if seen != self._seen:
            self._seen, self._seen_at = seen, time.monotonic()
        return time.monotonic() - self._seen_at > (spec.get("leaseDurationSeconds") or self.lease_seconds)

    def _spec(self, now: str, before: Object) -> Object:
        is_new = bool(before) and before.get("holderIdentity") != self.identity
        return {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": max(1, round(self.lease_seconds)),
            "acquireTime": now if is_new else before.get("acquireTime") or now,
            "renewTime": now,
            "leaseTransitions": (before.get("leaseTransitions") or 0) + is_new,
        }

    async def _write(self, lease: Object, spec: Object) -> None:
        change = {"metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]}, "spec": spec}
        await self.cluster.merge(LEASES, self.name, change, self.namespace)

    async def _release(self) -> None:
        """Lets another begin at once; one that cannot be told finds out by itself."""
        with suppress(ClusterAwayError, ObjectNotFoundError, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS):
                while not await self._let_go():
                    pass  # a renewal of ours was on its way; what is there now is read

    async def _let_go(self) -> bool:
        """Whether the lease is not ours any more; false where it was written since it was read."""
        lease = await self.cluster.read(LEASES, self.name, self.namespace)
        if (lease.get("spec") or {}).get("holderIdentity") != self.identity:
            return True
        with suppress(ObjectChangedError):
            await self._write(lease, {"holderIdentity": None, "renewTime": to_microseconds()})
            return True
        return False
