"""The arguments of an engine, as what they set."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .engine_rows import EngineRows, FlagRow, normal
from .environment import HIDDEN, Environment
from .errors import UnreadableError
from .starts import Start
from .values import TRUTH, value_of
from .wider import wider

ReadFile = Callable[[str], Sequence[str]]
"""From the path of a file to the arguments in it.  Raises UnreadableError where it is not at hand."""

_SHORTEST = len("--model")
"""Characters that the beginning of a flag has at least, to be taken for it."""


@dataclass(kw_only=True)
class Settings:
    """What the arguments of one engine say."""

    values: dict[str, Any] = field(default_factory=dict)
    """By field of a request, or by a word of ours."""
    model: str | None = None
    """The model, as it is written."""
    left_to_engine: set[str] = field(default_factory=set)
    """Fields of which the arguments say that the engine shall choose."""
    assumed: list[str] = field(default_factory=list)


def settings_of(start: Start, read_file: ReadFile) -> Settings:
    """What ``start`` was told by variables, by a file and by its arguments, each overriding the one before.

    Raises: UnreadableError.
    """
    found = Settings()
    words, files = _parted(start)
    told = [word for path in files for word in read_file(path)]
    later = (*words, *told) if start.rows.config_wins else (*told, *words)
    _read_words(
        start.rows, [*_of_variables(start.rows, start.environment), *later], found, takes_model=start.takes_model
    )
    return found


def _of_variables(rows: EngineRows, environment: Environment) -> list[str]:
    """The arguments that environment variables stand for."""
    return [
        f"{flag}={HIDDEN if environment[name] is None else environment[name]}"
        for name, flag in rows.variables.items()
        if environment.get(name, "") != ""
    ]


def _parted(start: Start) -> tuple[list[str], list[str]]:
    """The arguments without those that name a file of arguments, and the files."""
    words: list[str] = []
    files: list[str] = []
    position = 0
    while position < len(start.arguments):
        flag, is_given, given = start.arguments[position].partition("=")
        if flag.startswith("-") and normal(flag) in start.rows.config_flags:
            position += 0 if is_given else 1
            files.append(given if is_given else "".join(start.arguments[position : position + 1]))
        else:
            words.append(start.arguments[position])
        position += 1
    return words, files


def _read_words(rows: EngineRows, words: Sequence[str], found: Settings, *, takes_model: bool) -> None:
    free: list[str] = []
    sides: dict[str, str] = {}
    # Words after a flag that is not known may all be its values: this counts them, from 1 on; 0 is elsewhere.
    after_unknown = 0
    position = 0
    while position < len(words):
        word = words[position]
        position += 1
        flag, is_given, given = word.partition("=")
        if not flag.startswith("-") or _is_number(word):
            if not after_unknown or (word == HIDDEN and after_unknown > 1):
                free.append(word)
            after_unknown += 1 if after_unknown else 0
            continue
        spelling, row, is_off = _row_of(rows, flag)
        after_unknown = 0
        if row is None and spelling not in rows.model_flags:
            passed, after_unknown = _passed_over(rows, spelling, is_given=bool(is_given))
            position += passed
            continue
        if not is_given:
            given, position = _next(row, words, position, flag)
        if row is None:
            found.model = given
        elif row.reads == "wider":
            sides[_side(spelling)] = value_of(rows, row, flag, given)
            found.values[rows.field_of(row)] = wider(sides.values(), rows.values_of(row)[row.otherwise])
        else:
            _set(rows, row, flag, given, found, is_off=is_off)
    _read_free(free, found, takes_model=takes_model)


def _passed_over(rows: EngineRows, spelling: str, *, is_given: bool) -> tuple[int, int]:
    """How many words a flag that is not read certainly takes, and where the count of those it may take begins."""
    if spelling in rows.one_value_flags:
        return 0 if is_given else 1, 0
    if spelling in rows.switch_flags:
        return 0, 0
    return 0, 2 if is_given else 1


def _read_free(free: Sequence[str], found: Settings, *, takes_model: bool) -> None:
    """Words that no flag takes: the model, where the engine lets it stand alone."""
    if any(word == HIDDEN for word in free):
        raise UnreadableError(
            "arguments come from a variable or a command that is not at hand; write them out",
            reason="ReferenceNotAtHand",
        )
    if takes_model and free:
        found.model = free[0]


def _row_of(rows: EngineRows, flag: str) -> tuple[str, FlagRow | None, bool]:
    """The spelling that ``flag`` stands for, its row, and whether it is the ``--no-`` of a switch."""
    spelling = normal(flag)
    if spelling in rows.by_spelling or spelling in rows.model_flags:
        return spelling, rows.by_spelling.get(spelling), False
    positive = rows.by_spelling.get(spelling.replace("--no-", "--", 1))
    if spelling.startswith("--no-") and positive is not None and positive.reads == "switch":
        return spelling, positive, True
    if (
        rows.abbreviates
        and spelling.startswith("--")
        and len(spelling) >= _SHORTEST
        and spelling not in rows.switch_flags
    ):
        known = [each for each in (*rows.by_spelling, *rows.model_flags) if each.startswith(spelling)]
        if len(known) == 1:
            return known[0], rows.by_spelling.get(known[0]), False
    return spelling, None, False


def _next(row: FlagRow | None, words: Sequence[str], position: int, flag: str) -> tuple[str, int]:
    """What stands after a flag, and where reading goes on."""
    follows = words[position] if position < len(words) else None
    if row is not None and row.reads in ("switch", "tri_state"):
        is_value = follows is not None and follows.lower() in (*TRUTH, "auto") and not follows.isdigit()
        return (follows or "", position + 1) if is_value else ("true", position)
    if row is not None and row.reads == "unweighed" and (follows is None or follows.startswith("-")):
        return "", position
    if follows is None or (follows.startswith("-") and not _is_number(follows)):
        raise UnreadableError(f"{flag} has no value", reason="ArgumentUnreadable", field=flag)
    return follows, position + 1


def _is_number(word: str) -> bool:
    return word[:1] == "-" and word[1:].replace(".", "", 1).isdigit()


def _side(spelling: str) -> str:
    """Which of the two flags that set one field it is: of keys or of values."""
    return spelling[-1]


def _set(rows: EngineRows, row: FlagRow, flag: str, given: str, found: Settings, *, is_off: bool = False) -> None:
    if row.reads == "unweighed":
        found.assumed.append(row.says)
        return
    value = value_of(rows, row, flag, given)
    if is_off:
        value = not value
    name = rows.field_of(row)
    if name == "model":
        found.model = value
    elif value is None:
        found.values.pop(name, None)
        found.left_to_engine.add(name)
    else:
        found.values[name] = value


def as_arguments(fields: Mapping[str, Any], prefix: str = "--") -> list[str]:
    """Fields of a YAML file, or of an object, as the arguments that would say the same.

    >>> as_arguments({"max_model_len": 8192, "kv_cache_config": {"dtype": "fp8"}})
    ['--max_model_len=8192', '--kv_cache_config={"dtype": "fp8"}', '--kv_cache_config.dtype=fp8']
    """
    words: list[str] = []
    for name, value in fields.items():
        if isinstance(value, Mapping):
            words.append(f"{prefix}{name}={_dumped(value)}")
            words += as_arguments({f"{name}.{key}": each for key, each in value.items()}, prefix)
        elif isinstance(value, bool):
            words.append(f"{prefix}{name}={str(value).lower()}")
        elif isinstance(value, str | int | float):
            words.append(f"{prefix}{name}={value}")
    return words


def _dumped(value: Mapping[str, Any]) -> str:
    return json.dumps(value, default=str)
