"""The process behind the front door: ended by a fault, or told of a site's own rules."""

import json
import os
import signal
from pathlib import Path

from ..unit.rules.site_folders import NO_FP4, site_folder
from .front_door import COMMAND, front_door
from .polling import eventually

REQUEST = json.dumps(
    {"model": {"num_parameters": 8_000_000_000}, "weight_format": "bf16", "hardware": {"gpu": "RTX 4090"}}
).encode()


def test_a_process_that_ends_is_started_again(tmp_path: Path) -> None:
    """What ends the process that weighs, such as a fault in the rule engine, ends the front door for seconds only."""
    with front_door(tmp_path) as door:
        (answering,) = _children_named(door.port)
        os.kill(answering, signal.SIGKILL)
        assert eventually(lambda: answering not in _children_named(door.port) and door.is_ready(), within=40)


def _children_named(port: int) -> list[int]:
    """Processes spawned by multiprocessing whose environment has that port."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            told = (path / "environ").read_bytes(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if f"WEIGHBRIDGE_ADMISSION_PORT={port}".encode() in told[0] and b"spawn_main" in told[1]:
            found.append(int(path.name))
    return found


def test_a_site_s_rules_are_in_force(tmp_path: Path) -> None:
    """Answers carry the version of the site's rules laid over ours."""
    folder = site_folder(tmp_path / "rules", no_fp4=NO_FP4)
    with front_door(tmp_path, COMMAND) as plain:
        ours = json.loads(plain.call("/v1/size", REQUEST)[1])["versions"]["rules"]
    with front_door(tmp_path, COMMAND, WEIGHBRIDGE_RULES_PATH=str(folder)) as sited:
        assert json.loads(sited.call("/v1/size", REQUEST)[1])["versions"]["rules"] != ours
