"""The front door with one path more, which answers without reading or weighing anything."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from admission.http.app import application, front_door


def create() -> Starlette:
    """The application of the process that is measured."""
    app = application(front_door(os.environ))
    app.router.routes.append(Route("/empty", _empty, methods=["POST"]))
    return app


async def _empty(request: Request) -> Response:
    await request.body()
    return Response(b"{}", media_type="application/json")
