"""Inputs somebody might send to do harm, kept in tests/data/hostile: requests, and messages of the queue."""

import base64
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent / "data" / "hostile"
DEEP = 100_000


@dataclass(frozen=True, kw_only=True)
class HostileRequest:
    """A request, and how it has to be answered."""

    name: str
    value: Any
    code: str
    """``ok``, or the code of the error."""
    field: str | None


@dataclass(frozen=True, kw_only=True)
class HostileMessage:
    """The bytes of a message on a queue, and what has to become of it."""

    name: str
    raw: bytes
    queue: str
    reason: str | None
    """Why it is dead; None where it is answered."""
    code: str | None
    """``ok`` or the code of the error it is answered with; None where it is dead."""


@cache
def hostile_requests() -> tuple[HostileRequest, ...]:
    """All requests of the table."""
    return tuple(
        HostileRequest(
            name=row["file"],
            value=json.loads((FOLDER / "requests" / row["file"]).read_text()),
            code=row["code"],
            field=row.get("field"),
        )
        for row in _table("requests.yaml")["requests"]
    )


@cache
def hostile_messages() -> tuple[HostileMessage, ...]:
    """All messages of the table, those that are generated last."""
    table = _table("messages.yaml")
    kept = [(row, row["file"], (FOLDER / "messages" / row["file"]).read_bytes()) for row in table["messages"]]
    made = [(row, row["name"], _generated(row["name"])) for row in table["generated"]]
    return tuple(
        HostileMessage(name=name, raw=raw, queue=row["queue"], reason=row.get("reason"), code=row.get("code"))
        for row, name, raw in kept + made
    )


def _table(name: str) -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return table


def _generated(name: str) -> bytes:
    """A message too long to keep."""
    valid = json.loads((FOLDER / "messages" / "valid.json").read_text())
    match name:
        case "nested-deep":
            return b"[" * DEEP + b"]" * DEEP
        case "nested-deep-headers":
            nested = '{"a":' * DEEP + "1" + "}" * DEEP
            return json.dumps({**valid, "headers": "nested"}).replace('"nested"', nested).encode()
        case "nested-deep-body":
            body = b'[[], {"request": ' + b"[" * DEEP + b"]" * DEEP + b"}, {}]"
        case "too-large":
            body = base64.b64decode(valid["body"]) + b" " * 3 * 2**20
        case _:
            raise ValueError(name)
    return json.dumps({**valid, "body": base64.b64encode(body).decode()}).encode()
