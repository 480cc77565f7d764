"""One entry of the stream of requests: anything that anybody wrote there."""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from schemas.errors import InvalidRequestError
from schemas.parse import decode

from ..delivery.signature import Signer
from ..identity import request_id_of
from ..telemetry.tracing import CARRIED

FIELD = b"request"
SIGNATURE = b"signature"


class ForgedEntryError(InvalidRequestError):
    """The entry does not bear its signature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What an entry must keep to before it is looked into."""

    max_bytes: int
    """Longest text that is read."""
    signer: Signer | None
    """Checks signatures; None where none are asked for."""

    def fault(self, text: bytes | None, signature: bytes) -> InvalidRequestError | None:
        """What is wrong with an entry from outside."""
        if text is None:
            return InvalidRequestError(
                "the entry has no field 'request'", field="request", hint="XADD with the field request: the JSON text"
            )
        if len(text) > self.max_bytes:
            return InvalidRequestError(
                f"the request is {len(text)} bytes long, more than {self.max_bytes}",
                hint="send a shorter request, or name the model instead of its config",
            )
        if self.signer and not hmac.compare_digest(self.signer.of_request(text).encode(), signature):
            return ForgedEntryError(
                "the entry does not bear its signature", field="signature", hint="docs/protocol.md says how to sign"
            )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """An entry as it was read."""

    entry_id: str
    """Its name on the stream: the same however often it is delivered, so the id of a request that has none."""
    text: bytes
    """Its field ``request``; empty where it has none."""
    fault: InvalidRequestError | None
    """What is wrong with it from outside."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """Which trace it belongs to, where it says so."""

    @classmethod
    def of(cls, entry_id: bytes, fields: Mapping[bytes, bytes], terms: Terms) -> Self:
        """The entry that the server told; what else is in its fields is nobody's business."""
        fault = terms.fault(fields.get(FIELD), fields.get(SIGNATURE, b""))
        carried = {name: fields[key].decode(errors="replace") for name in CARRIED if (key := name.encode()) in fields}
        return cls(entry_id=entry_id.decode(), text=fields.get(FIELD, b""), fault=fault, carried=carried)

    def request(self) -> Any:  # noqa: ANN401 - decoded JSON is of any shape until it is validated
        """The request, decoded.

        Raises: InvalidRequestError; ForgedEntryError.
        """
        if self.fault is not None:
            raise self.fault
        return decode(self.text)

    def request_id(self) -> str:
        """The id it is answered under: the request's own where one is found, even in what is no valid request.

        Into an entry at fault from outside nobody looks: a forger must not choose whom an error is told.
        """
        if self.fault is not None:
            return self.entry_id
        try:
            return request_id_of(json.loads(self.text), self.entry_id)
        except (ValueError, RecursionError):
            return self.entry_id
