"""What must hold of the answer to anything."""

import time
from dataclasses import dataclass

from rules.recommend import answer, encode
from schemas.recommendation import ANSWER, ErrorAnswer


@dataclass(frozen=True, kw_only=True)
class Answered:
    """How something was answered."""

    code: str
    """``ok``, or the code of the error."""
    seconds: float


def checked(value: object) -> Answered:
    """How ``value`` is answered, after its answer was looked at.

    Raises: AssertionError when it is answered with a fault of ours, with what is no answer, or otherwise when asked
    again.
    """
    started = time.perf_counter()
    found = answer(value)
    seconds = time.perf_counter() - started
    text = encode(found)
    ANSWER.validate_json(text)
    assert encode(answer(value)) == text, "asked again, it is answered otherwise"
    if not isinstance(found, ErrorAnswer):
        return Answered(code="ok", seconds=seconds)
    assert found.error.code != "internal", found.error
    assert len(text) < 10_000, "an error is short"
    return Answered(code=found.error.code, seconds=seconds)
