"""The lines of a results file: what was asked of one cell, and the answer to it."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue, ValidationError

from schemas.closed import Closed
from schemas.errors import InvalidRequestError
from schemas.recommendation import Answer, PerGpu, Recommendation

from ..results_reader import raw_lines


class ResultLine(Closed):
    """One cell of a batch."""

    cell: int
    model: str
    """What the model is called in the batch."""
    request: dict[str, JsonValue]
    """The request without its model; what was not asked for is left out."""
    answer: Answer


def read_result_lines(results: Path) -> Iterator[ResultLine]:
    """The cells in ``results``, of which one at a time is held; blank lines are none.

    Raises: InvalidRequestError naming the line at fault.
    """
    for number, text in enumerate(raw_lines(results), start=1):
        if text.strip():
            yield _parsed(text, f"{results.name}:{number}")


def _parsed(text: bytes, place: str) -> ResultLine:
    try:
        line = ResultLine.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        at = ".".join(str(part) for part in first["loc"])
        raise InvalidRequestError(
            f"{place} is not a line of results: {f'{at}: ' if at else ''}{first['msg']}",
            field=at or None,
            hint="each line is one cell with its model, its request and its answer",
        ) from None
    if isinstance(line.answer, Recommendation):
        _refuse_terms_that_do_not_add_up(line.answer.per_gpu, place)
    return line


def _refuse_terms_that_do_not_add_up(need: PerGpu, place: str) -> None:
    """The page adds terms up, so that an answer whose sums differ would be shown with other figures than it has."""
    total = need.weights_bytes + need.kv_cache_bytes + need.activation_bytes + need.overhead_bytes
    if (total, need.usable_bytes - total) != (need.total_bytes, need.headroom_bytes):
        raise InvalidRequestError(
            f"{place} has an answer whose terms do not add up to its total",
            field="answer.per_gpu",
            hint="make the results anew with one version of the software",
        )
