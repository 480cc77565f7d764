"""How much a checkpoint's lists of modules may say, since sizing asks all of them about every kind of layer."""

from ..config import Config
from .published_format import PublishedFormat

MOST_NAMES = 2**17
"""Names one list may have; a mixture of thousands of experts names each of them.  Looking one up is one step."""

MOST_STARRED = 2**10
"""Patterns that leave something open, each of which is tried by itself.  Published checkpoints have some 150."""

MOST_LISTS = 2**10
"""Lists and rules, such as those of ``dynamic``.  Published checkpoints have some five."""

MOST_GROUPS = 2**6
"""Groups or schemes of their own.  Published checkpoints have one or two."""

MOST_FORMATS = 2**4
"""Different formats.  Published checkpoints mix two."""

MOST_LENGTHS = 2**5
"""Different lengths, in parts, of names that may stand anywhere: a path is looked through once for each."""


def refuse_endless_lists(quantization: Config, published: PublishedFormat) -> PublishedFormat:
    """``published``, whose lists stand in ``quantization``.

    Raises: ModelUnreadableError when they say more than any checkpoint has to.
    """
    lists = [patterns for patterns, _ in published.modules.entries]
    lengths = {name.count(".") for patterns in lists for name in patterns.anywhere}
    for what, count, most in (
        ("lists of modules", len(lists), MOST_LISTS),
        ("patterns of modules", sum(len(patterns.starred) for patterns in lists), MOST_STARRED),
        ("formats", len(published.formats), MOST_FORMATS),
        ("lengths of modules' names", len(lengths), MOST_LENGTHS),
    ):
        if count > most:
            raise quantization.itself_unreadable(f"{count} {what} are more than {most}")
    return published
