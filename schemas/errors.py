"""What can be wrong with a request: one tree, one stable code a class."""

from typing import ClassVar

from .vocabulary import ErrorCode


class WeighbridgeError(Exception):
    """The request cannot be answered."""

    code: ClassVar[ErrorCode] = "internal"

    def __init__(self, message: str, *, field: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        """Dotted path of the request field at fault, if one is."""
        self.hint = hint
        """What to change, in one sentence."""


class InvalidRequestError(WeighbridgeError):
    """A field is missing, unknown, of the wrong type, out of range, or contradicts another."""

    code = "invalid_request"


class UnknownModelError(WeighbridgeError):
    """Nothing that may be read has a model of that name."""

    code = "unknown_model"


class UnknownGpuError(WeighbridgeError):
    """The catalogue has no GPU of that name, or several that it could mean."""

    code = "unknown_gpu"


class UnsupportedArchitectureError(WeighbridgeError):
    """No family entry covers the architecture that the config names."""

    code = "unsupported_architecture"


class ModelUnreadableError(WeighbridgeError):
    """The model's config or its files lack what its family needs, or hold what cannot be true."""

    code = "model_unreadable"


class InvalidSettingError(WeighbridgeError):
    """An environment variable holds something that cannot be used."""


class QueueFullError(WeighbridgeError):
    """No requests are taken at the moment."""

    code = "queue_full"

    def __init__(self, message: str, *, hint: str | None = None, retry_after_seconds: int) -> None:
        super().__init__(message, hint=hint)
        self.retry_after_seconds = retry_after_seconds
        """When to try again."""


class UnavailableError(WeighbridgeError):
    """A server does not answer: the queue's, or the hub's."""

    code = "unavailable"
