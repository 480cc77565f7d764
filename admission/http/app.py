"""The front door's application: each path with what answers it, and how it is put together in a process."""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rules.in_force import RulesInForce
from worker.settings import Settings
from worker.telemetry.log_lines import write_log

from ..manifest.reading import Surroundings
from ..settings import AdmissionSettings
from .door import Door, RulesHere
from .gatekeeper import Gatekeeper
from .openapi import openapi
from .probes import Probes
from .queue import Queue
from .rules_home import rules_home
from .size import Size
from .thread import BoundedThread
from .validate import Validate

Endpoint = Callable[[Request], Awaitable[Response]]

WARM_UP_SECONDS = 120.0


def application(door: Door) -> Starlette:
    """The application that answers through ``door``."""
    validate, size, probes = Validate(door=door), Size(door=door), Probes(door=door)
    contract = openapi()

    async def described(_: Request) -> Response:
        return JSONResponse(contract)

    routes = [
        ("/validate", "POST", validate.answer),
        ("/validate/{mode}", "POST", validate.answer),
        ("/v1/size", "POST", size.size),
        ("/v1/requests", "POST", size.submit),
        ("/v1/requests/{request_id}", "GET", size.answer),
        ("/gatekeeper", "POST", Gatekeeper(door=door).answer),
        ("/healthz", "GET", probes.healthz),
        ("/readyz", "GET", probes.readyz),
        ("/metrics", "GET", probes.metrics),
        ("/openapi.json", "GET", described),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await door.thread.within(WARM_UP_SECONDS, door.rules.warm_up)
        yield
        door.thread.close()
        door.queue.close()

    return Starlette(
        routes=[Route(path, _timed(door, path, endpoint), methods=[method]) for path, method, endpoint in routes],
        lifespan=lifespan,
    )


def create() -> Starlette:
    """The application of a process, by what its environment says."""
    settings = Settings.from_environment(os.environ)
    write_log(settings)
    return application(front_door(os.environ))


def front_door(environment: Mapping[str, str]) -> Door:
    """What a process answers through whose environment is ``environment``.

    Raises: InvalidSettingError.
    """
    settings, of_admission = Settings.from_environment(environment), AdmissionSettings.from_environment(environment)
    in_force = RulesInForce(None if settings.rules_path is None else rules_home(settings), settings.sources)
    return Door(
        settings=of_admission,
        rules=RulesHere(in_force),
        queue=Queue(settings, max_waiting=of_admission.max_waiting),
        surroundings=Surroundings(gpu=of_admission.gpu, flavors=of_admission.flavors()),
        thread=BoundedThread("weigh", max_waiting=of_admission.max_waiting),
    )


def _timed(door: Door, path: str, endpoint: Endpoint) -> Endpoint:
    """``endpoint``, of which every answer is counted."""

    async def answer(request: Request) -> Response:
        began = time.perf_counter()
        response = await endpoint(request)
        door.metrics.answered(path, response.status_code, time.perf_counter() - began)
        return response

    return answer
