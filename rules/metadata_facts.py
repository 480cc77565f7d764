"""Facts that a site declares over the metadata of requests, and what they are of one request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from schemas.errors import InvalidRequestError
from schemas.recommendation import FactValue

from .facts import FactType
from .limits import beyond_limits

PREFIX = "metadata_"
"""What the name of such a fact begins with, so that it is no fact of ours, today or later."""

MAX_METADATA_FACTS = 32
"""Facts a site may declare; the engine holds 252 properties of a fact, ours among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataFact:
    """A fact that is read from the metadata of a request."""

    name: str
    key: str
    """Its key in the metadata."""
    type: FactType
    default: FactValue
    """What it is of a request without that key."""

    def of(self, metadata: Mapping[str, JsonValue]) -> FactValue:
        """What it is of a request with that ``metadata``.

        Raises: InvalidRequestError when the metadata has another type there.
        """
        value = metadata.get(self.key, self.default)
        refusal = self.type.refuses(value)
        if refusal is None and isinstance(value, str | int):
            refusal = beyond_limits(value)
            if refusal is None:
                return value
        field = f"metadata.{self.key}"
        raise InvalidRequestError(
            f"{field}: {refusal:.200}", field=field, hint="send what this site's rules declare, or leave the key out"
        )


def metadata_facts(declared: Iterable[MetadataFact], metadata: Mapping[str, JsonValue]) -> dict[str, FactValue]:
    """What the ``declared`` facts are of a request with that ``metadata``.

    Raises: InvalidRequestError.
    """
    return {fact.name: fact.of(metadata) for fact in declared}
