"""Results that are kept for as long as the model they are of."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple

from .model import Model

Result = TypeVar("Result")
Others = TypeVarTuple("Others")

MOST_RESULTS = 1024
"""Results kept of one model, before all of them are forgotten."""


def of_each_model(function: Callable[[Model, *Others], Result]) -> Callable[[Model, *Others], Result]:
    """``function``, which answers the same question about the same model once; its arguments are positional.

    Models of the catalogue are asked about again and again.  One that came with a request is gone with it, and what
    was found of it too.
    """

    @wraps(function)
    def remembering(model: Model, *others: *Others) -> Result:
        results: dict[tuple[*Others], Result] = model.found.setdefault(remembering, {})
        if others in results:
            return results[others]
        found = function(model, *others)
        if len(results) >= MOST_RESULTS:
            results.clear()
        results[others] = found
        return found

    return remembering
