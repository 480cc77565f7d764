"""Names and patterns of modules, as checkpoints list them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_CONTAINERS = frozenset({"model", "language_model", "text_model", "backbone", "transformer"})
"""Parts a path may begin with, which checkpoint, class and engine spell differently."""
_MOST_ALTERNATIVES = 64
_LONGEST = 512
_MOST_PIECES = 32
_NUMBER_OF_EXPERT = re.compile(r"(?<![^.])experts\.[0-9]+(?![^.])")
NUMBER = re.compile(r"(?<![^.])[0-9]+(?![^.])")
"""A part of a path, or of a piece of one, that is a number or may be the beginning or end of one."""


class PatternError(ValueError):
    """A pattern outside the part of the language that can be matched in bounded time."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path in literal pieces with anything between them; what is below a module that it matches is meant too."""

    pieces: tuple[str, ...]

    def matches(self, path: str) -> bool:
        """Whether ``path``, canonical and closed by a point, has the pieces in order, the first where it begins."""
        if not path.startswith(self.pieces[0]):
            return False
        place = len(self.pieces[0])
        for piece in self.pieces[1:]:
            place = path.find(piece, place)
            if place < 0:
                return False
            place += len(piece)
        return True

    def below(self, prefix: str) -> tuple[str, "Pattern"] | None:
        """A text, and the pattern that the text and a path's rest after ``prefix`` must match for the path to.

        The text is as much of the end of ``prefix`` as a piece may lie across; None where no such path matches.

        >>> Pattern(("layers.", ".mlp.")).below("layers.7.")
        ('.', Pattern(pieces=('', '.mlp.')))
        """
        first, *others = self.pieces
        if first.startswith(prefix):
            return "", Pattern((first[len(prefix) :], *others))
        if not prefix.startswith(first):
            return None
        place = len(first)
        for done, piece in enumerate(others):
            found = prefix.find(piece, place)
            if found < 0:
                end = next(prefix[at:] for at in range(place, len(prefix) + 1) if piece.startswith(prefix[at:]))
                return end, Pattern(("", *others[done:]))
            place = found + len(piece)
        return "", Pattern(("",))

    def asked_of(self, numbers: Sequence[str]) -> list[str]:
        """Of ``numbers``, each a part of a path, those that may decide over a match.

        A number at an end of a piece may be the end or the beginning of the part, or within it.
        """
        found: set[str] = set()
        for piece in self.pieces:
            for asked in NUMBER.finditer(piece):
                run, begins, ends = asked.group(), asked.start() == 0, asked.end() == len(piece)
                if begins and ends:
                    found.update(number for number in numbers if run in number)
                elif begins:
                    found.update(number for number in numbers if number.endswith(run))
                elif ends:
                    found.update(number for number in numbers if number.startswith(run))
                else:
                    found.add(run)
        return [number for number in numbers if number in found] if found else []


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of one list, told apart by how they are looked up."""

    whole: set[str] = field(default_factory=set)
    """Whole names that begin where paths begin."""
    anywhere: set[str] = field(default_factory=set)
    """Whole names that are meant wherever they stand between two points of a path."""
    starred: list[Pattern] = field(default_factory=list)
    """Patterns that leave something open."""

    def __len__(self) -> int:
        return len(self.whole) + len(self.anywhere) + len(self.starred)


Reader = Callable[[str, Patterns], None]
"""Adds the patterns that one text of a list means."""


def named(name: str, found: Patterns) -> None:
    """Add a module's name: itself and what is below it, ``*`` standing for anything.

    A name that begins where paths begin means that one module; any other, each module that has it between points.

    Raises: PatternError.
    """
    if "*" in name:
        found.starred.append(_pattern(name))
    else:
        whole = found.whole if name.partition(".")[0] in _CONTAINERS else found.anywhere
        whole.add(canonical(_bounded(name)))


def containing(text: str, found: Patterns) -> None:
    """Add every module whose path has ``text`` anywhere.

    Raises: PatternError.
    """
    found.starred.append(_pattern(f"*{canonical(text)}*"))


def expression(text: str, found: Patterns) -> None:
    r"""Add the modules of a regular expression that is matched from the beginning of a path.

    Expressions come with checkpoints, from anyone, so only what can be matched in bounded time is read: literal
    text, ``.*``, and choices of literal text in brackets, such as ``.*mlp\.(gate|up)_proj.*``.  A point without
    its backslash is taken for the point it nearly always means.

    Raises: PatternError.
    """
    ends = text.endswith("$") and not text.endswith("\\$")
    body = text.removeprefix("^")[: -1 if ends else None]
    for each in _expanded(body):
        if ends and "*" not in each:
            found.whole.add(canonical(_bounded(each)))
        else:
            found.starred.append(_pattern(each if ends else each + "*"))


def canonical(path: str) -> str:
    """``path`` without the containers it begins with, and without the number of an expert."""
    first, point, rest = path.partition(".")
    while point and first in _CONTAINERS:
        path = rest
        first, point, rest = path.partition(".")
    return _NUMBER_OF_EXPERT.sub("experts", path) if "experts." in path else path


def _bounded(text: str) -> str:
    """``text``.

    Raises: PatternError when it is empty or very long.
    """
    if not text or len(text) > _LONGEST:
        raise PatternError(f"a name has 1 to {_LONGEST} characters")
    return text


def _pattern(text: str) -> Pattern:
    pieces = canonical(_bounded(text)).replace(".experts.*.", ".experts.*").split("*")
    if len(pieces) > _MOST_PIECES:
        raise PatternError(f"more than {_MOST_PIECES - 1} stars")
    if pieces[-1]:
        pieces[-1] += "."
        return Pattern(pieces=tuple(pieces))
    return Pattern(pieces=tuple(pieces[:-1]))


def _expanded(text: str) -> list[str]:
    """``text`` as names with stars, one for each way its choices can be taken."""
    names = [""]
    place = 0
    while place < len(text):
        if text.startswith((".*", ".+"), place):
            choices, place = ["*"], place + 2
        elif text[place] == "(":
            end = text.find(")", place)
            if end < 0:
                raise PatternError("a bracket is not closed")
            choices, place = [_literal(each) for each in text[place + 1 : end].removeprefix("?:").split("|")], end + 1
        else:
            width = 2 if text[place] == "\\" else 1
            choices, place = [_literal(text[place : place + width])], place + width
        names = [name + choice for name in names for choice in choices]
        if len(names) > _MOST_ALTERNATIVES:
            raise PatternError(f"more than {_MOST_ALTERNATIVES} choices")
    return names


def _literal(text: str) -> str:
    """The characters that ``text`` of an expression stands for."""
    found = ""
    place = 0
    while place < len(text):
        character = text[place]
        if character == "\\":
            place += 1
            character = text[place : place + 1]
            if not character or character.isalnum():
                raise PatternError(f"\\{character} is not covered")
        elif character in "[]{}()?+*|^$":
            raise PatternError(f"{character} is not covered here")
        if character == "*":
            raise PatternError("a literal star is not covered")
        found += character
        place += 1
    return found
