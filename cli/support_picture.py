"""Support as a picture: a mark for each cell, two of generations, formats and engines along the sides."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rules.support_levels import EFFECTS, LEVELS
from rules.support_matrix import Cell
from schemas.vocabulary import ENGINE_NAMES, EngineName, SupportLevel

from .table import console

LEVEL_MARKS: dict[SupportLevel, tuple[str, str]] = {
    "native": ("✔", "green"),
    "emulated": ("◐", "yellow"),
    "unsupported": ("✘", "red"),
}
EFFECT_WORDS: dict[str, str] = {
    "compute+memory": "compute",
    "memory+decode bandwidth": "decode",
    "memory only": "memory",
    "none": "",
}
"""What is gained beside memory; the first letter stands for it where there is little room."""

GAP = 2
"""Spaces between columns."""

Side = Callable[[Cell], str]
"""What a cell is called along a side of the picture."""


def print_picture(cells: Sequence[Cell], releases: Mapping[EngineName, str]) -> None:
    """Print ``cells``, which are about these releases of engines.

    One engine: the generations go down and the formats across.  One format: the generations go down and the engines
    across.  Otherwise each generation has a picture of its own, with its formats down and the engines across.
    """
    out = console()
    if not _is_single(cells, _generation) and _is_single(cells, _column):
        weights = [cell for cell in cells if cell.weight_format is not None]
        caches = [cell for cell in cells if cell.weight_format is None]
        for part, name in ((weights, "weights"), (caches, "kv cache")):
            if part:
                _print_tables(out, part, f"{name}, {_column(part[0])}", _generation, _bare_thing)
    elif not _is_single(cells, _generation) and _is_single(cells, _thing):
        _print_tables(out, cells, _thing(cells[0]), _generation, _column)
    else:
        for generation in dict.fromkeys(map(_generation, cells)):
            about = [cell for cell in cells if _generation(cell) == generation]
            _print_tables(out, about, generation, _thing, _column)
    out.print(_legend())
    told = [f"{name} {releases[name]}" for name in ENGINE_NAMES if any(cell.column == name for cell in cells)]
    if told:
        out.print(f"About {', '.join(told)}.")


def _print_tables(out: Console, cells: Sequence[Cell], title: str, down: Side, across: Side) -> None:
    """Print one table, or as many as the width of ``out`` asks for."""
    found: dict[tuple[str, str], Text] = {}
    in_words = across is _column
    for cell in sorted(cells, key=_goodness, reverse=True):
        found[down(cell), across(cell)] = _mark(cell, in_words=in_words)
    rows = list(dict.fromkeys(map(down, cells)))
    heads = {name: name if in_words else name.replace("-", "-\n") for name in map(across, cells)}
    widths = {
        name: max(map(len, (*head.split("\n"), *(found[row, name].plain for row in rows))))
        for name, head in heads.items()
    }
    for names in _in_parts(widths, out.width - max(map(len, (title, *rows))) - 2 * GAP):
        table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column(Text(title, style="bold"), no_wrap=True)
        for name in names:
            table.add_column(heads[name], no_wrap=True)
        for row in rows:
            table.add_row(row, *(found[row, name] for name in names))
        out.print(table)


def _in_parts(widths: Mapping[str, int], room: int) -> list[list[str]]:
    """The names in parts whose columns, with the gap between them, fit into ``room``."""
    parts: list[list[str]] = [[]]
    taken = 0
    for name, width in widths.items():
        if parts[-1] and taken + width + GAP > room:
            parts.append([])
            taken = 0
        parts[-1].append(name)
        taken += width + GAP
    return parts


def _mark(cell: Cell, *, in_words: bool) -> Text:
    mark, style = LEVEL_MARKS[cell.support.level]
    word = EFFECT_WORDS[cell.support.effect]
    return Text(f"{mark} {word}".rstrip() if in_words else mark + word[:1], style=style)


def _legend() -> Text:
    legend = Text()
    for level, (mark, style) in LEVEL_MARKS.items():
        legend.append(f"{mark} ", style=style).append(f"{level}   ")
    return legend.append("   ".join(f"{word[0]} {word}: {effect}" for effect, word in EFFECT_WORDS.items() if word))


def _is_single(cells: Iterable[Cell], side: Side) -> bool:
    return len(set(map(side, cells))) == 1


def _generation(cell: Cell) -> str:
    return f"{cell.generation.compute_capability:7} {cell.generation.name}"


def _column(cell: Cell) -> str:
    return cell.column


def _thing(cell: Cell) -> str:
    """The format, all quantizations of GGUF being one, or the kv cache's type."""
    return _bare_thing(cell) if cell.weight_format else f"kv-cache:{_bare_thing(cell)}"


def _bare_thing(cell: Cell) -> str:
    return (cell.weight_format or cell.kv_cache_dtype or "").partition(":")[0]


def _goodness(cell: Cell) -> tuple[int, int]:
    """Worst first."""
    return -LEVELS.index(cell.support.level), -EFFECTS.index(cell.support.effect)
