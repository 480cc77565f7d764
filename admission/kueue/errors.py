"""What can go wrong between a controller and the cluster."""

from schemas.errors import UnavailableError, WeighbridgeError


class ClusterAwayError(UnavailableError):
    """The API server does not answer, or does not let us."""


class ObjectNotFoundError(WeighbridgeError):
    """The cluster has no such object, or no such kind of objects."""


class ObjectChangedError(WeighbridgeError):
    """Somebody else wrote the object since it was read."""


class WatchLostError(WeighbridgeError):
    """What happened since the last list is no longer known; the objects have to be listed again."""


class WrongParametersError(WeighbridgeError):
    """An AdmissionCheck names parameters that cannot be used."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
        """A token for the condition of the AdmissionCheck."""
