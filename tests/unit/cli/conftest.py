"""Output as wide as in a pipe, whatever terminal the tests run in."""

import pytest


@pytest.fixture(autouse=True)
def _no_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody says how wide a terminal is: a shell may, and so does a pool of processes that runs tests."""
    monkeypatch.delenv("COLUMNS", raising=False)
