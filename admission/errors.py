"""What can keep a front door from an answer, beside what can be wrong with a request."""

from schemas.errors import UnavailableError


class DeadlineExceededError(UnavailableError):
    """It was not weighed by the time an answer was due."""
