"""The objects of one kind as they are now: listed once, watched from there, and listed again when that breaks."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any

from .cluster import Change, Cluster, Kind, Object
from .errors import ClusterAwayError, ObjectNotFoundError, WatchLostError
from .pauses import pause

Key = tuple[str, str]
"""Namespace, empty where there is none, and name."""

PAUSES_SECONDS = (0.1, 1.0, 5.0, 15.0)
"""How long to wait after each failure on end; the last one from then on."""
ABSENT_SECONDS = 30.0
"""How soon to look again for a kind that the cluster does not know."""

_log = logging.getLogger(__name__)


class Following:
    """A copy of the objects of a kind; ``changed`` is called with the key of each that came, changed or went."""

    def __init__(
        self, cluster: Cluster, kind: Kind, changed: Callable[[Key], None], *, may_be_absent: bool = False
    ) -> None:
        self._cluster = cluster
        self._kind = kind
        self._changed = changed
        self._may_be_absent = may_be_absent
        self._failures = 0
        self.objects: dict[Key, Object] = {}
        self.listed = asyncio.Event()
        """Set once all there are have been seen."""

    @property
    def by_name(self) -> Mapping[str, Mapping[str, Any]]:
        """The objects of a kind that has no namespaces."""
        return {name: value for (_, name), value in self.objects.items()}

    async def run(self) -> None:
        """Follows until cancelled, whatever the server does."""
        while True:
            try:
                await self._follow()
            except WatchLostError as error:
                # The common end of a watch; a server that ends each one at once must not be asked without a pause.
                _log.info("listing anew: %s", error.message, extra={"action": "follow"})
                await self._pause()
            except ObjectNotFoundError as error:
                if not self._may_be_absent:
                    _log.warning("not served: %s", error.message, extra={"action": "follow"})
                self._take([])
                await asyncio.sleep(ABSENT_SECONDS)
            except ClusterAwayError as error:
                _log.warning("listing anew: %s", error.message, extra={"action": "follow"})
                await self._pause()

    async def _follow(self) -> None:
        listed = await self._cluster.list(self._kind)
        self._take(listed.objects)
        async with aclosing(self._cluster.watch(self._kind, listed.resource_version)) as changes:
            async for change in changes:
                self._failures = 0
                self._note(change)

    async def _pause(self) -> None:
        failures, self._failures = self._failures, self._failures + 1
        await asyncio.sleep(pause(PAUSES_SECONDS, failures))

    def _take(self, objects: list[Object]) -> None:
        before, self.objects = self.objects, {_key(each): each for each in objects}
        for key in before.keys() | self.objects.keys():
            if before.get(key) != self.objects.get(key):
                self._changed(key)
        self.listed.set()

    def _note(self, change: Change) -> None:
        key = _key(change.object)
        if change.type == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = change.object
        self._changed(key)


def _key(value: Object) -> Key:
    return value["metadata"].get("namespace") or "", value["metadata"]["name"]
