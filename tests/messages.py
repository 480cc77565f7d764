"""Messages as Celery's producers write them, to be sent as they are or with something changed."""

import base64
import json
import secrets
from typing import Any

from tests.integration.conftest import a_request

NOTHING = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
"""No tasks to run after this one."""


def encoded(body: object) -> str:
    """A body as it travels."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return base64.b64encode(text).decode()


def a_message(task_id: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever one may have
    """A message for the queue ``sizing``, with ``changes`` to its parts, headers or properties."""
    headers = {"task": "weighbridge.size", "id": task_id, "lang": "py", "retries": 0, "timelimit": [None, None]}
    properties = {
        "delivery_tag": secrets.token_hex(8),
        "delivery_info": {"exchange": "", "routing_key": "sizing"},
        "body_encoding": "base64",
    }
    message: dict[str, Any] = {
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "body": encoded([[], {"request": a_request()}, NOTHING]),
        "headers": headers | changes.pop("headers", {}),
        "properties": properties | changes.pop("properties", {}),
    }
    return message | changes
