"""Results that are kept: so many, or for as long as the model they are of."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple
from weakref import ref

from .model import Model

Asked = TypeVar("Asked")
Result = TypeVar("Result")
Others = TypeVarTuple("Others")

MOST_RESULTS = 1024
"""Results kept of one model, before all of them are forgotten."""


def keep(results: dict[Asked, Result], asked: Asked, result: Result, most: int) -> Result:
    """``result``, kept as the answer to ``asked``; of ``most`` that are kept already all are forgotten first."""
    if len(results) >= most:
        results.clear()
    results[asked] = result
    return result


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
        return keep(results, others, function(model, *others), MOST_RESULTS)

    return remembering


def while_it_lives(function: Callable[[Asked], Result]) -> Callable[[Asked], Result]:
    """``function``, which answers once about the same object, whether or not that can be hashed.

    A config that came with a request is read once however many variants of the request are weighed.
    """
    known: dict[int, tuple[ref[Asked], Result]] = {}

    @wraps(function)
    def remembering(asked: Asked) -> Result:
        number = id(asked)
        if number not in known:
            result = function(asked)
            known[number] = ref(asked, lambda _: known.pop(number, None)), result
        return known[number][1]

    return remembering
