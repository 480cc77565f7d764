"""The commands that a container runs, taken out of the shells and wrappers around them."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .bounds import MAX_CHARACTERS, MAX_WORDS
from .environment import HIDDEN, Environment, expand_in_shell
from .errors import UnreadableError

_SHELLS = {"sh", "bash", "dash", "ash", "zsh", "ksh"}
_SWITCH_USER = {"su", "runuser"}
"""Programs that take a script as shells do, after the name of a user."""
_SCRIPT_FOLLOWS = re.compile(r"-[a-z]*c")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_DECLARES = {"export", "declare", "local", "readonly", "typeset"}
_SEPARATORS = ";&|()<>\n"
_DEEPEST = 4
"""Shells within shells that are looked into."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command: its words, and the variables it sees."""

    words: Sequence[str]
    environment: Environment


def commands_of(words: Sequence[str], environment: Environment, depth: int = 0) -> Iterator[Command]:
    """The simple commands that ``words`` come to, in order.

    Raises: UnreadableError for a script that is no shell's.
    """
    if len(words) > MAX_WORDS:
        raise UnreadableError(
            f"the command has more than {MAX_WORDS} words; name what it serves with weighbridge.dev/model",
            reason="ArgumentUnreadable",
        )
    if words and words[0] == "eval" and depth < _DEEPEST:
        yield from _commands_in(" ".join(words[1:]), (), environment, depth)
        return
    for position, word in enumerate(words):
        if depth < _DEEPEST and _program(word) in _SHELLS | _SWITCH_USER:
            script = _script_after(words, position)
            if script is not None:
                yield from _commands_in(words[script], words[script + 1 :], environment, depth)
                return
    yield Command(words=words, environment=environment)


def _program(word: str) -> str:
    """The name of a program, without the path to it."""
    return word.rpartition("/")[2]


def _script_after(words: Sequence[str], shell: int) -> int | None:
    """Position of the script that the shell at position ``shell`` is given; None where it is given a file."""
    for position in range(shell + 1, len(words)):
        if _SCRIPT_FOLLOWS.fullmatch(words[position]):
            return position + 1 if position + 1 < len(words) else None
        # Options such as -o take a word of their own, and a user is named without one.
        is_value = words[position - 1].endswith("o") or _program(words[shell]) in _SWITCH_USER
        if not words[position].startswith("-") and not is_value:
            return None
    return None


def _commands_in(script: str, parameters: Sequence[str], environment: Environment, depth: int) -> Iterator[Command]:
    seen = dict(environment)
    for statement in _statements(script):
        prefix, rest = _assignments(statement, seen)
        if not rest or rest[0] in _DECLARES:
            seen.update(prefix)
            seen.update(_assignments([word for word in rest[1:] if not word.startswith("-")], seen)[0])
            continue
        own = {**seen, **prefix}
        words = [each for word in rest for each in _expanded(word, own, parameters)]
        yield from commands_of(words, own, depth + 1)


def _assignments(words: Sequence[str], environment: Environment) -> tuple[dict[str, str | None], Sequence[str]]:
    """The variables set before a command, and the words of the command."""
    found: dict[str, str | None] = {}
    for position, word in enumerate(words):
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            return found, words[position:]
        value = expand_in_shell(match[2], {**environment, **found})
        found[match[1]] = None if HIDDEN in value else value
    return found, ()


def _expanded(word: str, environment: Mapping[str, str | None], parameters: Sequence[str]) -> list[str]:
    """The words that ``word`` becomes: a variable that holds arguments becomes each of them."""
    if word in ("$@", "$*"):
        return list(parameters[1:])
    value = expand_in_shell(word, environment)
    if word.startswith("$") and (not value or value.lstrip().startswith("-")):
        try:
            return shlex.split(value)
        except ValueError:
            return [HIDDEN]
    return [value]


def _statements(script: str) -> Iterator[list[str]]:
    """The words of each simple command of ``script``, redirections and comments left out."""
    words: list[str] = []
    skips_word = skips_line = False
    for token in _tokens(script):
        if set(token) <= set(_SEPARATORS) and token:
            skips_word = "<" in token or ">" in token
            skips_line = skips_line and "\n" not in token
            if not skips_word and words:
                yield words
                words = []
        elif skips_word:
            skips_word = False
        elif token.startswith("#") or skips_line:
            skips_line = True
        else:
            words.append(token)
    if words:
        yield words


def _tokens(script: str) -> list[str]:
    if len(script) > MAX_CHARACTERS:
        raise UnreadableError(
            f"the script has more than {MAX_CHARACTERS} characters; name what it serves with weighbridge.dev/model",
            reason="ArgumentUnreadable",
        )
    continued = script.replace("\\\n", " ")
    without_comments = re.sub(r"^\s*#.*$", "", continued, flags=re.MULTILINE)
    without_descriptors = re.sub(r"(?<=\s)[0-9](?=[<>])", "", without_comments)
    lexer = shlex.shlex(_without_substitutions(without_descriptors), posix=True, punctuation_chars=_SEPARATORS)
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError as error:
        raise UnreadableError(f"the script cannot be read: {error}", reason="ArgumentUnreadable") from None


def _without_substitutions(script: str) -> str:
    """``script`` with what other commands would print, in ``$(…)`` or backticks, replaced by a mark."""
    script = re.sub(r"`[^`]*`", HIDDEN, script)
    kept: list[str] = []
    depth = position = 0
    while position < len(script):
        if script.startswith("$(", position):
            kept += [HIDDEN] if depth == 0 else []
            depth, position = depth + 1, position + 2
            continue
        if depth:
            depth += {"(": 1, ")": -1}.get(script[position], 0)
        else:
            kept.append(script[position])
        position += 1
    return "".join(kept)
