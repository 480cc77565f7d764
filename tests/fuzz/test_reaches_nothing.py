"""Nothing a request says is opened, reached, imported or run."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.checkpoints.laying import SMALL, lay, small

MUTATED = 300


def test_hostile_requests_reach_nothing(tmp_path: Path) -> None:
    """After warming up, no request has a file opened outside the models' folder, a socket, or code read or run.

    In a process of its own, since what listens to the interpreter cannot be taken away again.
    """
    root, outside = tmp_path / "root", tmp_path / "outside"
    lay(root / "model", SMALL, small())
    lay(outside, SMALL, small())
    (outside / "config.json").write_text('{"architectures": ["outside-secret"]}')
    (root / "out").symlink_to(outside)
    (root / "linked").mkdir()
    (root / "linked" / "config.json").symlink_to(outside / "config.json")
    (root / "linked" / "model.safetensors").symlink_to("/etc/passwd")
    os.mkfifo(root / "pipe")
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.audited", str(root), str(MUTATED)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
