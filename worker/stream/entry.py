"""One entry of the stream of requests: anything that anybody wrote there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from schemas.errors import InvalidRequestError
from schemas.parse import decode

from ..identity import request_id_of

FIELD = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestEntry:
    """An entry as it was read."""

    entry_id: str
    """Its name on the stream: the same however often it is delivered, so the id of a request that has none."""
    text: bytes | None
    """Its field ``request``; None where it has none."""
    max_bytes: int
    """Longest text that is read."""

    @classmethod
    def of(cls, entry_id: bytes, fields: Mapping[bytes, bytes], max_bytes: int) -> Self:
        """The entry that the server told; what else is in its fields is nobody's business."""
        return cls(entry_id=entry_id.decode(), text=fields.get(FIELD.encode()), max_bytes=max_bytes)

    def request(self) -> Any:  # noqa: ANN401 - decoded JSON is of any shape until it is validated
        """The request, decoded.

        Raises: InvalidRequestError.
        """
        if self.text is None:
            raise InvalidRequestError(
                f"the entry has no field {FIELD!r}", field=FIELD, hint=f"XADD with one field, {FIELD}: the JSON text"
            )
        if self._is_too_long(self.text):
            raise InvalidRequestError(
                f"the request is {len(self.text)} bytes long, more than {self.max_bytes}",
                hint="send a shorter request, or name the model instead of its config",
            )
        return decode(self.text)

    def request_id(self) -> str:
        """The id it is answered under, also where it cannot be read as a request: its own as far as one is found."""
        if self.text is None or self._is_too_long(self.text):
            return self.entry_id
        try:
            return request_id_of(json.loads(self.text), self.entry_id)
        except (ValueError, RecursionError):
            return self.entry_id

    def _is_too_long(self, text: bytes) -> bool:
        return len(text) > self.max_bytes
