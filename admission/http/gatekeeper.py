"""``/gatekeeper``: Gatekeeper's external data, a verdict for each key."""

import time
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.requests import Request
from starlette.responses import Response

from schemas.closed import Closed
from schemas.decision import ContainerDecision, DecisionCode, Reason
from schemas.errors import InvalidRequestError, UnavailableError
from schemas.parse import parse
from schemas.recommendation import PerGpu

from ..containers import conclude_container
from ..decide import ALTERNATIVES
from ..errors import DeadlineExceededError
from ..manifest.reading import ModelServer
from .bodies import TooLargeError, error_response, json_response, read_object
from .door import Door
from .gatekeeper_keys import parse_key

MAX_KEYS = 256
"""Keys of one call."""


class ProviderKeys(BaseModel):
    """The keys of a call."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    keys: Annotated[list[str], Field(max_length=MAX_KEYS)]


class ProviderRequest(BaseModel):
    """What Gatekeeper asks."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", alias_generator=to_camel)

    api_version: Literal["externaldata.gatekeeper.sh/v1beta1", "externaldata.gatekeeper.sh/v1alpha1"]
    kind: Literal["ProviderRequest"]
    request: ProviderKeys


class KeyVerdict(Closed):
    """What was found of one key."""

    fits: bool
    """Whether it starts as it is."""
    code: DecisionCode
    reason: Reason
    message: str
    per_gpu: PerGpu | None = None
    arguments: list[str] | None = None
    """The engine's arguments of the smallest change with which it would start."""


class ProviderItem(Closed):
    """The answer to one key: a value, or what is wrong with the key."""

    key: str
    value: KeyVerdict | None = None
    error: str | None = None


class ProviderItems(Closed):
    """The answers to all keys, or why there are none."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    idempotent: bool = True
    """The same keys have the same answers, until other rules come into force."""
    items: list[ProviderItem] | None = None
    system_error: str | None = None
    """An outage of ours; nothing that a key could be at fault for."""


class ProviderResponse(Closed):
    """What Gatekeeper is told."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    api_version: str
    kind: Literal["ProviderResponse"] = "ProviderResponse"
    response: ProviderItems


@dataclass(frozen=True, kw_only=True)
class Gatekeeper:
    """Keys, weighed in this process."""

    door: Door

    async def answer(self, request: Request) -> Response:
        """The verdicts, in the order of the keys."""
        due = time.monotonic() + self.door.settings.deadline_seconds
        try:
            value = await read_object(request, self.door.settings.max_body_bytes)
            asked = parse(value, ProviderRequest, "provider request")
        except TooLargeError as error:
            return error_response(error, 413)
        except InvalidRequestError as error:
            return error_response(error, 400)
        try:
            items = await self.door.thread.within(
                due - time.monotonic(), lambda: self._weighed(asked.request.keys, due)
            )
            told = ProviderItems(items=items)
        except UnavailableError as error:
            told = ProviderItems(system_error=error.message)
        return json_response(ProviderResponse(api_version=asked.api_version, response=told), omit_null=True)

    def _weighed(self, keys: list[str], due: float) -> list[ProviderItem]:
        items: list[ProviderItem] = []
        for key in keys:
            if time.monotonic() >= due:
                raise DeadlineExceededError("the keys could not be weighed in time")
            items.append(self._item(key))
        return items

    def _item(self, key: str) -> ProviderItem:
        try:
            request = parse_key(key)
        except InvalidRequestError as error:
            return ProviderItem(key=key, error=error.message)
        server = ModelServer(container=key, request=request)
        found = conclude_container(server, self.door.rules.weigh({**request, "alternatives": ALTERNATIVES}))
        if found.verdict is None:
            return ProviderItem(key=key, error=f"{found.message} ({found.reason})")
        return ProviderItem(key=key, value=_verdict(found))


def _verdict(found: ContainerDecision) -> KeyVerdict:
    return KeyVerdict(
        fits=found.code == "fit",
        code=found.code,
        reason=found.reason,
        message=found.message,
        per_gpu=found.per_gpu,
        arguments=found.change.arguments if found.change else None,
    )
