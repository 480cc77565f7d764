"""``/validate``: the webhook of an API server, answered by its deadline whatever happens."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from schemas.decision import Decision, Mode
from schemas.errors import InvalidRequestError, UnavailableError

from ..context import Identity
from ..decide import decide_on, overdue
from ..manifest.reading import Reading, Unreadable
from .bodies import UnreadBodyError, error_response, json_response, read_object
from .door import Door
from .review import ReviewAnswer, ReviewRequest, WrongKindError, answer_with, let_in, parse_review

MARGIN_SECONDS = 0.2
"""What an answer needs to get back to the API server in the time that it waits."""

LOOKED_AT = (None, "", "ephemeralcontainers")
"""Subresources that can bring a container; scale and status cannot."""

_MODES: Mapping[str, Mode] = {mode: mode for mode in get_args(Mode)}
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")

UNREAD = Reading(
    unreadable=[
        Unreadable(
            container="",
            code="unavailable",
            reason="ServiceUnavailable",
            message="it could not be decided on because of a fault in this software; its log has the cause",
        )
    ]
)
"""What is known of an object that our own fault keeps from being decided on."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Validate:
    """Reviews, decided in this process."""

    door: Door

    async def answer(self, request: Request) -> Response:
        """The review's answer; 200 for a refusal too."""
        began = time.monotonic()
        mode = self._mode(request)
        try:
            review = parse_review(await read_object(request, self.door.settings.max_body_bytes))
        except UnreadBodyError as error:
            return error_response(error, error.status)
        except WrongKindError as error:
            return error_response(error, 422)
        except InvalidRequestError as error:
            return error_response(error, 400)
        due = began + self._patience(request.query_params.get("timeout", ""))
        return json_response(await self._review(review.request, mode, due), omit_null=True)

    def _mode(self, request: Request) -> Mode:
        """The mode that the path names, else the one that is set."""
        named = request.path_params.get("mode")
        if named is None:
            return self.door.settings.mode
        if named not in _MODES:
            raise HTTPException(404, f"there is no mode {named!r:.40}: use {', '.join(_MODES)}")
        return _MODES[named]

    def _patience(self, timeout: str) -> float:
        """Seconds until an answer is due: ours, or less where the API server says that it waits less."""
        ours, waits = self.door.settings.deadline_seconds, seconds_of(timeout)
        return ours if waits is None else min(ours, max(0.0, waits - MARGIN_SECONDS))

    async def _review(self, asked: ReviewRequest, mode: Mode, due: float) -> ReviewAnswer:
        if mode == "off" or asked.object is None or asked.sub_resource not in LOOKED_AT:
            return let_in(asked.uid)
        if asked.operation not in ("CREATE", "UPDATE"):
            return let_in(asked.uid)
        try:
            reading = self.door.read(asked.object, self.door.surroundings)
            if asked.operation == "UPDATE" and self._is_known(asked.old_object, reading):
                return let_in(asked.uid)
        except Exception:  # noqa: BLE001 - whatever an object holds, who asks gets an answer
            _log.exception("an object could not be read", extra={"action": "decide"})
            reading = UNREAD
        decision = await self._decided(asked.object, reading, mode, due)
        self.door.metrics.decided(decision)
        return answer_with(asked.uid, decision)

    def _is_known(self, old: Mapping[str, Any] | None, reading: Reading) -> bool:
        """Whether the object before the change served the same in the same way: then it was decided on already."""
        if old is None:
            return False
        before = self.door.read(old, self.door.surroundings)
        return (list(before.servers), list(before.unreadable)) == (list(reading.servers), list(reading.unreadable))

    async def _decided(self, object: Mapping[str, Any], reading: Reading, mode: Mode, due: float) -> Decision:  # noqa: A002 - as below
        """The decision, by policy where none is there when an answer is due."""
        identity = _identity(object)

        def weighed() -> Decision:
            left = due - time.monotonic()
            context = replace(self.door.context(), mode=mode, identity=identity, deadline_seconds=left)
            return decide_on(object, reading, context)

        policy = replace(self.door.context(), mode=mode, identity=identity)
        if not reading.servers:
            return decide_on(object, reading, policy)
        try:
            return await self.door.thread.within(due - time.monotonic(), weighed)
        except UnavailableError as error:
            return overdue(object, reading, policy, error)
        except Exception:  # noqa: BLE001 - as above
            _log.exception("an object could not be decided on", extra={"action": "decide"})
            return decide_on(object, replace(UNREAD, bypass=reading.bypass), policy)


def seconds_of(duration: str) -> float | None:
    """Seconds of a duration as Go writes it, such as ``10s`` or ``1m30s``; None where it is none."""
    found = _DURATION.fullmatch(duration)
    if not duration or found is None:
        return None
    hours, minutes, seconds, milliseconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + milliseconds / 1000


def _identity(object: Mapping[str, Any]) -> Identity:  # noqa: A002 - Kubernetes' word
    """Which object it is; its generation is not said to be the new one yet when it is reviewed."""
    metadata = object.get("metadata")
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    return Identity(uid=uid if isinstance(uid, str) else None)
