"""A front door without a server: its application, asked in process."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from starlette.types import Message

from admission.context import Read
from admission.http.app import application, front_door
from admission.http.door import Door, RulesHere
from rules.in_force import RulesInForce
from schemas.recommendation import ErrorAnswer, Recommendation

SCHEMA = Draft202012Validator(
    json.loads((Path(__file__).parents[3] / "data" / "admission_review.schema.json").read_text(encoding="utf-8"))
)


class ToldRules(RulesHere):
    """Rules that tell what they are told to."""

    def __init__(self, weigh: Callable[[object], Recommendation | ErrorAnswer]) -> None:
        super().__init__(RulesInForce(None))
        self._weigh = weigh

    def weigh(self, request: object) -> Recommendation | ErrorAnswer:
        """The answer to ``request``."""
        return self._weigh(request)


@dataclass
class Answered:
    """An answer over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - decoded JSON
        """The decoded body."""
        return json.loads(self.body)


def a_door(
    read: Read | None = None,
    weigh: Callable[[object], Recommendation | ErrorAnswer] | None = None,
    **settings: str,
) -> Door:
    """A front door with those settings of admission; by default it reads and weighs as it always does."""
    door = front_door({f"WEIGHBRIDGE_ADMISSION_{name.upper()}": value for name, value in settings.items()})
    if read is not None:
        door = replace(door, read=read)
    return door if weigh is None else replace(door, rules=ToldRules(weigh))


_application = lru_cache(maxsize=8)(application)


def ask(door: Door, path: str, body: bytes | object, *, method: str = "POST", size: int | None = None) -> Answered:
    """The answer to one call; ``size`` is announced where it is not that of the body."""
    return asyncio.run(_ask(door, path, body if isinstance(body, bytes) else json.dumps(body).encode(), method, size))


async def _ask(door: Door, path: str, body: bytes, method: str, size: int | None) -> Answered:
    place, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": place,
        "raw_path": place.encode(),
        "query_string": query.encode(),
        "headers": [] if size is None else [(b"content-length", str(size).encode())],
        "http_version": "1.1",
    }
    parts = [body[start : start + 65_536] for start in range(0, len(body), 65_536)] or [b""]
    incoming: list[Message] = [
        {"type": "http.request", "body": part, "more_body": number < len(parts) - 1}
        for number, part in enumerate(parts)
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await _application(door)(scope, receive, send)
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answered(sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:]))


def a_review(operation: str = "CREATE", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """A review of a Pod."""
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "name": "",
        "namespace": "models",
        "operation": operation,
        "userInfo": {"username": "admin"},
        "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"generateName": "a-"}},
        "oldObject": None,
        "dryRun": False,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": "CreateOptions"},
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {**request, **more}}


def reviewed(door: Door, review: object, path: str = "/validate") -> dict[str, Any]:
    """The response to ``review``, which the schema takes."""
    answered = ask(door, path, review)
    assert answered.status == 200
    SCHEMA.validate(answered.json)
    response: dict[str, Any] = answered.json["response"]
    return response
