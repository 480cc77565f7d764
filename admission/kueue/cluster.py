"""The Kubernetes API, as far as a controller needs it; the one module that knows its client library."""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Self

from httpx2 import HTTPError, HTTPStatusError, InvalidURL
from lightkube import ALL_NS, ApiError, AsyncClient, ConfigError
from lightkube.generic_resource import create_global_resource, create_namespaced_resource
from lightkube.types import PatchType

from .errors import ClusterAwayError, ObjectChangedError, ObjectNotFoundError, WatchLostError

Object = dict[str, Any]
"""An object of the cluster, as it came."""

FIELD_MANAGER = "weighbridge-kueue"
WATCH_SECONDS = 240
"""How long the server is asked to keep a watch open before it ends it, which is no fault."""
SILENT_SECONDS = WATCH_SECONDS + 30
"""A watch that says nothing for longer has lost its server."""
NOT_FOUND, CONFLICT, GONE = 404, 409, 410
"""Statuses of the API that mean something to a controller."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of objects, and where the API has them."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool

    @property
    def resource(self) -> Any:  # noqa: ANN401 - a class that the library makes
        """The library's class for it, one and the same at every call."""
        create = create_namespaced_resource if self.namespaced else create_global_resource
        return create(self.group, self.version, self.kind, self.plural)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a watch tells: an object as it is now, or was when it was deleted."""

    type: Literal["ADDED", "MODIFIED", "DELETED"]
    object: Object


@dataclass(frozen=True, kw_only=True)
class Listed:
    """All objects of a kind at one moment, and from where to watch on."""

    objects: list[Object]
    resource_version: str | None


class Cluster:
    """A connection to one API server, to be used in an ``async with`` block.

    Every method raises ClusterAwayError when the server does not answer or refuses.
    """

    def __init__(self, client: AsyncClient) -> None:
        # Its overloads want the class of a resource to be known to the type checker.
        self._client: Any = client

    @classmethod
    def of_surroundings(cls) -> Self:
        """The cluster whose pod this is, or else the one of the current context of a kubeconfig.

        Raises: ClusterAwayError when there is neither.
        """
        try:
            return cls(AsyncClient(field_manager=FIELD_MANAGER))
        except Exception as error:  # noqa: BLE001 - a kubeconfig that is wrong fails wherever the library looks at it
            raise ClusterAwayError(
                f"no cluster is configured: {str(error) or type(error).__name__}",
                hint="run in a pod with a service account, or name a kubeconfig in KUBECONFIG",
            ) from None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def read(self, kind: Kind, name: str, namespace: str | None = None) -> Object:
        """An object as it is now.

        Raises: ObjectNotFoundError.
        """
        with _told(kind, name):
            found: Object = dict(await self._client.get(kind.resource, name, **_in(kind, namespace)))
        return found

    async def list(self, kind: Kind) -> Listed:
        """All objects of a kind, in all namespaces.

        Raises: ObjectNotFoundError when the cluster knows no such kind.
        """
        with _told(kind, kind.plural):
            coming = self._client.list(kind.resource, **_in(kind, ALL_NS))
            objects = [dict(each) async for each in coming]
            # It is known from the first page on, and there is one even where there are no objects.
            version = coming._resourceVersion  # noqa: SLF001 - the property raises where the server names none
        return Listed(objects=objects, resource_version=version)

    async def watch(self, kind: Kind, resource_version: str | None) -> AsyncGenerator[Change, None]:
        """What changes from ``resource_version`` on, for ever.

        Raises: WatchLostError when the server no longer knows what happened since.
        """
        events = self._client.watch(
            kind.resource, **_in(kind, ALL_NS), server_timeout=WATCH_SECONDS, resource_version=resource_version
        )
        with _told(kind, kind.plural):
            async with aclosing(events):
                while True:
                    async with asyncio.timeout(SILENT_SECONDS):
                        type_, found = await anext(events)
                    yield Change(type=type_, object=dict(found))

    async def create(self, kind: Kind, value: Mapping[str, Any], namespace: str | None = None) -> Object:
        """The object as it was created.

        Raises: ObjectChangedError when there is one already.
        """
        made = kind.resource({"apiVersion": f"{kind.group}/{kind.version}", "kind": kind.kind, **value})
        with _told(kind, value["metadata"]["name"]):
            found: Object = dict(await self._client.create(made, **_in(kind, namespace)))
        return found

    async def merge(
        self, kind: Kind, name: str, change: Mapping[str, Any], namespace: str | None = None, *, status: bool = False
    ) -> Object:
        """The object after a merge patch of it, or of its status; ``metadata.resourceVersion`` in it is a lock.

        Raises: ObjectNotFoundError; ObjectChangedError when the lock does not hold.
        """
        resource = kind.resource.Status if status else kind.resource
        with _told(kind, name):
            patched = self._client.patch(
                resource, name, dict(change), **_in(kind, namespace), patch_type=PatchType.MERGE
            )
            found: Object = dict(await patched)
        return found


def _in(kind: Kind, namespace: str | None) -> dict[str, str]:
    return {"namespace": namespace} if kind.namespaced and namespace is not None else {}


@contextmanager
def _told(kind: Kind, name: str) -> Iterator[None]:
    """Errors of the library as ours."""
    try:
        yield
    except (HTTPError, InvalidURL, ConfigError, TimeoutError, OSError) as error:
        status, said = _answered(error)
        message = f"{kind.kind} {name}: {said}"
        if status == NOT_FOUND:
            raise ObjectNotFoundError(message) from error
        if status == CONFLICT:
            raise ObjectChangedError(message) from error
        if status == GONE:
            raise WatchLostError(message) from error
        raise ClusterAwayError(message) from error


def _answered(error: Exception) -> tuple[int | None, str]:
    """The status that the API answered, in its response or within a watch, if it did, and what to say of it."""
    if isinstance(error, ApiError) and error.status is not None:
        return error.status.code, str(error.status.message or error.status.reason)
    if isinstance(error, HTTPStatusError):
        return error.response.status_code, f"the API server answers {error.response.status_code}"
    return None, str(error) or type(error).__name__
