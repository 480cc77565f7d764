"""``/openapi.json``: the front door's contract, from the same shapes that read and write its bodies."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from schemas.recommendation import ErrorAnswer, Recommendation
from schemas.request import SizingRequest

from .gatekeeper import ProviderRequest, ProviderResponse
from .review import Review, ReviewAnswer
from .size import Accepted

_READ: tuple[type[BaseModel], ...] = (Review, SizingRequest, ProviderRequest)
_WRITTEN: tuple[type[BaseModel], ...] = (ReviewAnswer, Recommendation, ErrorAnswer, Accepted, ProviderResponse)


def openapi() -> dict[str, Any]:
    """The document, OpenAPI 3.1: its schemas are JSON Schema as pydantic writes it."""
    shapes: list[tuple[type[BaseModel], JsonSchemaMode]] = [(each, "validation") for each in _READ]
    shapes += [(each, "serialization") for each in _WRITTEN]
    found, told = models_json_schema(shapes, ref_template="#/components/schemas/{model}")
    schema = {shape.__name__: named for (shape, _), named in found.items()}
    review = _call("Reviews an object of a cluster.", schema["Review"], {"200": schema["ReviewAnswer"]})
    mode = {"name": "mode", "in": "path", "required": True, "schema": {"enum": ["off", "warn", "enforce"]}}
    request_id = {"name": "request_id", "in": "path", "required": True, "schema": {"type": "string"}}
    later = {"200": schema["Recommendation"], "202": schema["Accepted"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Weighbridge", "version": version("weighbridge")},
        "paths": {
            "/validate": {"post": review},
            "/validate/{mode}": {"parameters": [mode], "post": review},
            "/v1/size": {
                "post": _call("Weighs a deployment.", schema["SizingRequest"], {"200": schema["Recommendation"]})
            },
            "/v1/requests": {
                "post": _call("Puts a request on the queue.", schema["SizingRequest"], {"202": schema["Accepted"]})
            },
            "/v1/requests/{request_id}": {
                "parameters": [request_id],
                "get": _call("The answer to a request that was put on the queue.", None, later),
            },
            "/gatekeeper": {
                "post": _call(
                    "Verdicts for Gatekeeper's keys.", schema["ProviderRequest"], {"200": schema["ProviderResponse"]}
                )
            },
            "/healthz": {"get": _call("Whether the process lives.", None, {"200": None})},
            "/readyz": {"get": _call("Whether it should be asked.", None, {"200": None})},
            "/metrics": {"get": _call("What is counted.", None, {"200": None})},
        },
        "components": told.get("$defs", {}) and {"schemas": told["$defs"]},
    }


def _call(summary: str, body: Any, answers: dict[str, Any]) -> dict[str, Any]:  # noqa: ANN401 - schemas are JSON
    """One operation; every one may answer an error besides."""
    call: dict[str, Any] = {"summary": summary, "responses": {}}
    if body is not None:
        call["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    for status, schema in answers.items():
        content = {"text/plain": {}} if schema is None else {"application/json": {"schema": schema}}
        call["responses"][status] = {"description": summary, "content": content}
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    call["responses"]["default"] = {"description": "What is wrong.", "content": error}
    return call
