"""Log lines: their fields, and what never stands in one."""

import json
import logging
import re
from pathlib import Path
from types import TracebackType

import pytest

from worker.telemetry.log_lines import ACTIONS, LOG_FIELDS, JsonLines, TextLines
from worker.telemetry.secrets import mask_for

ROOT = Path(__file__).parents[4]


def a_record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """A warning."""
    return logging.getLogger("worker.test").makeRecord(
        "worker.test", logging.WARNING, "file", 1, message, arguments, None, extra=extra
    )


def raised(error: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    """``error`` as a handler finds it."""
    try:
        raise error  # noqa: TRY301 - for its traceback
    except Exception as caught:  # noqa: BLE001 - whichever it is
        return type(caught), caught, caught.__traceback__


def test_a_line_is_one_object_with_its_fields() -> None:
    """Time in UTC, level, logger, message and worker always; action and request id where they are."""
    lines = JsonLines("alpha", mask_for(None))
    text = lines.format(a_record("gave %d back\nnow", 2, action="give_back", request_id="r-1"))
    assert "\n" not in text
    line = json.loads(text)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert isinstance(line.pop("pid"), int)
    assert line == {
        "level": "WARNING",
        "logger": "worker.test",
        "message": "gave 2 back\nnow",
        "worker": "alpha",
        "action": "give_back",
        "request_id": "r-1",
    }


def test_exception_stands_in_its_line() -> None:
    """A traceback is a field of the line, not lines of its own."""
    record = a_record("failed", data={"id": "task-1"})
    record.exc_info = raised(RuntimeError("why é 😀"))
    text = JsonLines("alpha", mask_for(None)).format(record)
    line = json.loads(text)
    assert text.isascii()
    assert line["exception"].endswith("RuntimeError: why é 😀")
    assert line["task_id"] == "task-1"
    assert set(line) <= set(LOG_FIELDS)


def test_arguments_that_do_not_suit_lose_no_line() -> None:
    """A log call that is wrong is a line all the same."""
    assert json.loads(JsonLines("alpha", mask_for(None)).format(a_record("%d", "no number")))["message"] == "%d"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("redis://:hunter22@queue:6379/0", "cannot connect to redis://:hunter22@queue:6379/0"),
        ("redis://me:hunter22@queue", "see redis://me:hunter22@queue"),
        ("redis://:hunter22@queue", "invalid password hunter22"),
        ("redis://:hun%2Fter22@queue", "invalid password hun/ter22, hun%2Fter22"),
        ("redis://:hunter22/word@queue", "port could not be cast from 'hunter22'"),
        ("redis://:hunter22@x@queue", "redis://:hunter22@x@queue"),
        (None, "another at rediss://you:hunter22@elsewhere:1"),
        ('redis://:hun"ter22@queue', 'it is hun"ter22'),
    ],
)
def test_passwords_are_masked_in_both_formats(url: str | None, told: str) -> None:
    """Whatever a library puts of an address into its text, the password is not in the line."""
    mask = mask_for(url)
    for lines in (JsonLines("alpha", mask), TextLines(mask)):
        record = a_record("%s", told)
        record.exc_info = raised(ConnectionError(told))
        line = lines.format(record)
        assert "ter22" not in line
        assert "hunter" not in line
        assert "**" in line


def test_masking_leaves_other_words_alone() -> None:
    """A password is masked as a word, not inside of others, and without one nothing is."""
    assert mask_for("redis://:a@queue")("a path and another") == "** path and another"
    assert mask_for("redis://queue:6379/0")("redis://queue:6379/0 at 10:30") == "redis://queue:6379/0 at 10:30"


def test_every_action_in_the_code_is_a_known_word() -> None:
    """No module logs an action that is not told of."""
    rooms = ("rules", "worker", "checkpoints", "sizing", "schemas", "batch", "admission", "cli")
    source = "\n".join(path.read_text(encoding="utf-8") for room in rooms for path in (ROOT / room).rglob("*.py"))
    used = set(re.findall(r'"action": "(\w+)"', source))
    assert used
    assert used <= set(ACTIONS)
