"""From a results file to its page."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue

from rules.ruleset import load_rule_set

from .block import encode_block
from .page_file import page
from .page_texts import load_page_texts
from .result_line import read_result_lines
from .table import Table


def write_report(results: Path, out: Path, *, title: str) -> None:
    """Write the page called ``title`` about the cells in ``results`` to ``out``.

    Lines are read one by one, so that what is held is columns of numbers and texts that recur.

    Raises: InvalidRequestError naming the first line that is none of a results file.
    """
    rule_set = load_rule_set()
    table = Table(rule_set.rules)
    for line in read_result_lines(results):
        table.add(line)
    head, columns = table.matrix()
    about: dict[str, JsonValue] = {
        "title": title,
        "written": datetime.fromtimestamp(results.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M"),
        "installed_rules": rule_set.version,
        "texts": load_page_texts(),
    }
    matrix = encode_block({**about, **head}, columns)
    out.write_bytes(page(title, matrix=matrix, panel=encode_block(*table.panel())))
