"""The lists of modules in a checkpoint's ``quantization_config``."""

from collections.abc import Iterable

from ..config import Config
from .bounds import MOST_NAMES, MOST_STARRED
from .modules import PatternError, Patterns, Reader, expression, named


def patterns(config: Config, field: str, names: Iterable[str], read: Reader = named) -> Patterns:
    """The patterns of ``names``, which stand in ``field``.

    Raises: ModelUnreadableError when one is not covered, or when they are too many.
    """
    found = Patterns()
    _read(config, field, names, read, found)
    return found


def listed(config: Config, *fields: str, read: Reader = named) -> Patterns:
    """The patterns of the lists in ``fields``; empty where they are absent.

    Raises: ModelUnreadableError.
    """
    found = Patterns()
    for field in fields:
        _read(config, field, config.strings(field), read, found)
    return found


def name_or_expression(text: str, found: Patterns) -> None:
    """Add the patterns of a name, or of the regular expression that ``re:`` announces.

    Raises: PatternError.
    """
    if text.startswith("re:"):
        expression(text.removeprefix("re:"), found)
    else:
        named(text, found)


def _read(config: Config, field: str, names: Iterable[str], read: Reader, found: Patterns) -> None:
    for place, name in enumerate(names):
        try:
            read(name, found)
        except PatternError as error:
            raise config.unreadable(field, f"{name[:80]!r}: {error}", "write the names of the modules out") from error
        if place >= MOST_NAMES:
            raise config.unreadable(field, f"more than {MOST_NAMES} names")
        if len(found.starred) > MOST_STARRED:
            raise config.unreadable(field, f"more than {MOST_STARRED} patterns", "write the names of the modules out")
