"""What was read of files, for tests that count it."""

import os

import pytest


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Offset and length of each read of a file from now on."""
    pread, found = os.pread, list[tuple[int, int]]()

    def noted(file: int, length: int, offset: int) -> bytes:
        found.append((offset, length))
        return pread(file, length, offset)

    monkeypatch.setattr(os, "pread", noted)
    return found
