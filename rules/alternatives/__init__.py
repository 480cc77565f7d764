"""Other ways to deploy the same model, each of them weighed before it is offered."""

from .search import Offer, offer
from .why import why

__all__ = ["Offer", "offer", "why"]
