"""What keeps a container from being weighed."""

from collections.abc import Mapping

from schemas.decision import DecisionCode, Reason
from schemas.errors import InvalidRequestError

_NOT_OF_THE_OBJECT: Mapping[Reason, DecisionCode] = {
    "ModelNotNamed": "unknown_model",
    "ModelIsPath": "unknown_model",
    "ReferenceNotAtHand": "unknown_model",
}
"""Reasons that tell of a model that is not known; all others are faults that whoever deploys can mend."""


class UnreadableError(InvalidRequestError):
    """Something in the object cannot be read, or says what cannot be."""

    def __init__(self, message: str, *, reason: Reason, field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.reason: Reason = reason
        self.decision: DecisionCode = _NOT_OF_THE_OBJECT.get(reason, "invalid")
        """Code of the decision that follows from it."""
