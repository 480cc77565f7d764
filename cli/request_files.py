"""Reading requests from files and standard input: one JSON value, a JSON list, or JSON Lines."""

from collections.abc import Iterator

from schemas.errors import InvalidRequestError
from schemas.parse import decode

from .input_files import read_input


def read_requests(files: tuple[str, ...]) -> Iterator[tuple[str, object]]:
    """Each request of ``files`` (standard input if none, or for ``-``) with the place it stands at.

    A line that is not JSON is given as the InvalidRequestError that says so.
    """
    for file in files or ("-",):
        name, content = read_input(file)
        for number, value in _values(content):
            yield f"{name}:{number}", value


def _values(text: bytes) -> Iterator[tuple[int, object]]:
    whole = _decoded(text)
    if not isinstance(whole, InvalidRequestError):
        for value in whole if isinstance(whole, list) else [whole]:
            yield 1, value
        return
    if b"\n" not in text.strip():
        yield 1, whole
        return
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.strip():
            yield number, _decoded(line)


def _decoded(text: bytes) -> object:
    try:
        return decode(text)
    except InvalidRequestError as error:
        return error
