"""The page put together from its parts, allowed to run and to load nothing but them."""

import base64
import hashlib
from html import escape
from importlib.resources import files
from string import Template

_SCRIPTS = (
    "dom",
    "texts",
    "block",
    "table",
    "best",
    "state",
    "selection",
    "marks",
    "filters",
    "matrix",
    "matrix_cells",
    "matrix_keys",
    "lists",
    "details",
    "messages",
    "parts",
    "memory",
    "conclusions",
    "elsewhere",
    "panel",
    "head",
    "printing",
    "main",
)
"""Scripts of the page, each of which uses only those before it when it is read."""

_STYLES = ("colours", "layout", "matrix", "lists", "panel", "print")


def page(title: str, *, matrix: bytes, panel: bytes) -> bytes:
    """The file: a page called ``title`` with the blocks of its data.

    Its policy names the digests of its one script and its one style sheet, so that markup in anybody's text could
    neither run nor load anything even if it came to be markup.
    """
    script = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    style = "\n".join(_part(f"{name}.css") for name in _STYLES)
    filled = Template(_part("page.html")).substitute(
        title=escape(title),
        script=script,
        script_digest=_digest(script),
        style=style,
        style_digest=_digest(style),
        matrix=matrix.decode("ascii"),
        panel=panel.decode("ascii"),
    )
    return filled.encode()


def _part(name: str) -> str:
    return files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
