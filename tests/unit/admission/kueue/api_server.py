"""An API server in process: kmock's, with the versions, locks and subresources that a controller relies on."""

import copy
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import attrs
import kmock
import yaml
from aiohttp.web import StreamResponse
from jsonschema import Draft202012Validator

from admission.kueue.cluster import Cluster, Kind
from admission.kueue.kinds import LEASES, PARAMETERS, KueueKinds

Object = dict[str, Any]

SCHEMA = Path(__file__).parents[3] / "data" / "kubernetes" / "kueue.yaml"
STATUSES = {"workloads": "workload-status", "admissionchecks": "check-status"}
CONFLICT, GONE, UNAVAILABLE = 409, 410, 503
KEPT_REQUESTS = 12

KINDS = KueueKinds.of("v1beta2")


@attrs.define(kw_only=True)
class ApiServer(kmock.KubernetesEmulator):
    """Objects have a version that each write raises, and a write under another version is refused.

    A write of the status leaves the rest alone, and the other way round.  What is written to a status is held against
    Kueue's schema.
    """

    before: Callable[[Object], int | None] = lambda _: None
    """Called with each write of a workload's status before it is looked at; what it gives is what is answered."""
    written: list[tuple[str, Object]] = attrs.field(factory=list)
    """Plural of the kind and the body, of each write of a status that was let through."""
    away: bool = False
    """While it is, everything is answered with 503."""
    refused: int = 0
    """Writes that another had come before."""
    _versions: Iterator[int] = attrs.field(factory=lambda: itertools.count(1000))

    async def _handle(self, request: kmock.Request) -> StreamResponse:
        # It keeps every request and looks through all of them at the next; those that are being answered have to stay.
        del self._requests[:-KEPT_REQUESTS]
        if self.away:
            raise kmock.KubernetesError(status=UNAVAILABLE, reason="Away", message="nobody is at home")
        if request.resource is not None and request.data is not None:
            if request.action == kmock.action.CREATE:
                request.data["metadata"]["resourceVersion"] = self._version()
            if request.action == kmock.action.UPDATE:
                self._let_through(request)
        response: StreamResponse = await super()._handle(request)
        return response

    async def _serve_fetch(self, request: kmock.Request) -> Object:
        """The object by its key; kmock looks through all there are."""
        assert request.resource is not None
        assert request.name is not None
        key = (request.resource, request.namespace, request.name)
        if key not in self.objects:
            raise kmock.KubernetesObjectNotFoundError
        found: Object = plain(self.objects[key].last)
        return found

    async def _serve_update(self, request: kmock.Request) -> Object:
        """Likewise, after it was written."""
        return await self._serve_fetch(request)

    def _let_through(self, request: kmock.Request) -> None:
        assert request.resource is not None
        assert request.name is not None
        is_status = request.subresource == "status"
        plural = str(request.resource.plural)
        if is_status and plural == "workloads" and (status := self.before(request.data)) is not None:
            raise kmock.KubernetesError(status=status, reason="Told", message="answered as the test says")
        key = (request.resource, request.namespace, request.name)
        found = self.objects[key] if key in self.objects else None  # noqa: SIM401 - its get() makes an object of a default
        lock = (request.data.get("metadata") or {}).get("resourceVersion")
        if found and lock not in (None, found["metadata"]["resourceVersion"]):
            self.refused += 1
            raise kmock.KubernetesError(status=CONFLICT, reason="Conflict", message="it was modified meanwhile")
        if is_status:
            obey(plural, request.data["status"])
            self.written.append((plural, copy.deepcopy(request.data)))
        body = {part: value for part, value in request.data.items() if (part == "status") == is_status}
        request.data.clear()
        request.data.update({**body, "metadata": {"resourceVersion": self._version()}})

    def _version(self) -> str:
        return str(next(self._versions))

    def add(self, kind: Kind, value: Mapping[str, Any]) -> None:
        """Puts an object there before anybody looks."""
        made = copy.deepcopy(dict(value))
        made["metadata"]["resourceVersion"] = self._version()
        self.objects[_resource(kind), made["metadata"].get("namespace"), made["metadata"]["name"]] = made

    def now(self, kind: Kind, name: str, namespace: str | None = None) -> Object:
        """An object as it is."""
        return copy.deepcopy(plain(self.objects[_resource(kind), namespace, name].last))

    async def write(self, kind: Kind, name: str, change: Mapping[str, Any], namespace: str | None = None) -> None:
        """Somebody else's write, of the status or the rest, told to whoever watches."""
        held = self.objects[_resource(kind), namespace, name]
        held.patch({**change, "metadata": {**change.get("metadata", {}), "resourceVersion": self._version()}})
        await self._tell(kind, {"type": "MODIFIED", "object": plain(held.last)})

    async def arrive(self, kind: Kind, value: Mapping[str, Any]) -> None:
        """An object that is created while others watch."""
        self.add(kind, value)
        name, namespace = value["metadata"]["name"], value["metadata"].get("namespace")
        await self._tell(kind, {"type": "ADDED", "object": self.now(kind, name, namespace)})

    async def lose_watches(self, kind: Kind) -> None:
        """Tells whoever watches that what happened is no longer known."""
        status = {"apiVersion": "v1", "kind": "Status", "metadata": {}, "code": GONE, "reason": "Expired"}
        await self._tell(kind, {"type": "ERROR", "object": {**status, "status": "Failure", "message": "too old"}})

    def forget_to_tell(self, kind: Kind, name: str, change: Mapping[str, Any], namespace: str) -> None:
        """A write of which no watch tells."""
        held = self.objects[_resource(kind), namespace, name]
        held.patch({**change, "metadata": {"resourceVersion": self._version()}})

    async def _tell(self, kind: Kind, event: Mapping[str, Any]) -> None:
        await self._buses[_resource(kind)].put(event)


def obey(plural: str, status: Mapping[str, Any]) -> None:
    """Raises unless ``status`` is one that the API takes of that kind of objects."""
    _validator(STATUSES[plural]).validate(status)


@cache
def _validator(name: str) -> Draft202012Validator:
    schema = yaml.safe_load(SCHEMA.read_text(encoding="utf-8"))
    return Draft202012Validator({"$defs": schema["$defs"], "$ref": f"#/$defs/{name}"})


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """kmock's views as what they are views of."""
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _resource(kind: Kind) -> kmock.resource:
    return kmock.resource(kind.group, kind.version, kind.plural)


@asynccontextmanager
async def serving(version: str = "v1beta2", *kinds: Kind) -> AsyncIterator[tuple[ApiServer, Cluster]]:
    """A server with Kueue's kinds in ``version`` and ours, and a connection to it."""
    async with ApiServer() as server, kmock.Server(server) as at:
        served = KueueKinds.of(version)
        for kind in kinds or (served.workloads, served.checks, served.flavors, PARAMETERS, LEASES):
            server.resources[f"{kind.group}/{kind.version}/{kind.plural}"] = kmock.ResourceInfo(
                kind=kind.kind,
                namespaced=kind.namespaced,
                verbs={"get", "list", "watch", "create", "patch"},
                subresources={"status"},
            )
        with kubeconfig(str(at.url).rstrip("/")):
            cluster = Cluster.of_surroundings()
        async with cluster:
            yield server, cluster


@contextmanager
def kubeconfig(url: str) -> Iterator[Path]:
    """A kubeconfig of the server at ``url`` for the block, where programs look for one."""
    told = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {"token": "opens-nothing"}}],
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config"
        path.write_text(yaml.safe_dump(told), encoding="utf-8")
        with patch.dict(os.environ, {"KUBECONFIG": str(path)}):
            yield path
