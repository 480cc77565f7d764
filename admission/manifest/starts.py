"""Where a command starts an engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .commands import Command
from .engine_rows import EngineRows, load_engines
from .environment import Environment

_ONLY_TALK = {"echo", "printf", "cat", "grep", "pgrep", "pkill", "which"}
"""Commands that start nothing, whatever words follow."""


@dataclass(frozen=True, kw_only=True)
class Start:
    """An engine, and the arguments it is started with."""

    rows: EngineRows
    arguments: Sequence[str]
    environment: Environment
    takes_model: bool
    """Whether the model may stand among the arguments without a flag."""


def starts_in(commands: Iterator[Command]) -> list[Start]:
    """The engines that ``commands`` start, whatever wraps them."""
    return [start for command in commands if (start := _start_of(command))]


def only_joins(commands: Iterator[Command]) -> bool:
    """Whether ``commands`` do no more than lend GPUs to a server that is started elsewhere."""
    joins = [join for rows in load_engines() for join in rows.joins]
    return any(_position(command.words, join) is not None for command in commands for join in joins)


def _start_of(command: Command) -> Start | None:
    words = command.words
    if not words or words[0] in _ONLY_TALK:
        return None
    for rows in load_engines():
        for row in rows.starts:
            position = _position(words, row.words)
            if position is not None:
                return Start(
                    rows=rows,
                    arguments=words[position + len(row.words) :],
                    environment=command.environment,
                    takes_model=row.takes_model,
                )
    return None


def _position(words: Sequence[str], sought: Sequence[str]) -> int | None:
    """Where ``sought`` stands in ``words``; programs may be written with their path."""
    for position in range(len(words) - len(sought) + 1):
        if all(map(_is, words[position:], sought)):
            return position
    return None


def _is(word: str, sought: str) -> bool:
    return word == sought or word.endswith(f"/{sought}")
