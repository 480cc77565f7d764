"""A site's rules in a running worker: in force, changed without a restart, kept when broken."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from rules.reload_status import read_status
from rules.site import load_with_site
from schemas.errors import InvalidSettingError
from schemas.recommendation import Recommendation
from tests.unit.rules.site_folders import NO_FP4, site_folder
from worker.client import Client
from worker.settings import Settings

from .conftest import StartWorker
from .polling import eventually
from .test_killed import pool_of

RELOAD_SECONDS = 60.0
"""Two looks, a trial in a child and the next request, on a busy machine."""

DENIED: dict[str, Any] = {
    "model": {"name": "Qwen/Qwen3-8B"},
    "weight_format": "nvfp4",
    "hardware": {"gpu": "RTX 5090"},
    "alternatives": 0,
    "metadata": {"example.org/stage": "production"},
}


def answered(client: Client) -> Recommendation:
    """What the worker says of FP4 in production."""
    found = client.wait(client.submit(DENIED), timeout=30)
    assert isinstance(found, Recommendation)
    return found


def test_a_sites_rules_are_in_force_are_exchanged_and_survive_a_fault(
    start_worker: StartWorker, client: Client, settings: Settings, tmp_path: Path
) -> None:
    """Denied; allowed once the folder says so; still so when the folder breaks, in pool processes made anew too."""
    folder = site_folder(tmp_path / "site", no_fp4_in_production=NO_FP4)
    own = settings.model_copy(update={"rules_path": folder})
    worker = start_worker(own)
    denied = answered(client)
    assert denied.verdict == "unsupported"
    assert denied.findings[0].rule == "no-fp4-in-production"
    assert denied.versions.rules == load_with_site(folder).version

    site_folder(folder, no_fp4_in_production=NO_FP4.replace("production", "staging"))
    version = load_with_site(folder).version
    assert eventually(lambda: answered(client).versions.rules == version, within=RELOAD_SECONDS)
    assert eventually(lambda: all(answered(client).verdict == "fits" for _ in range(8)), within=RELOAD_SECONDS)

    site_folder(folder, no_fp4_in_production=NO_FP4.replace("level: error", "level: eror"))
    home = own.rules_home
    assert eventually(lambda: "level" in str((s := read_status(home)) and s.broken), within=RELOAD_SECONDS)
    for pid in list(pool_of(worker.pid)):
        os.kill(pid, signal.SIGKILL)
    after = [answered(client) for _ in range(8)]
    assert {(each.verdict, each.versions.rules) for each in after} == {("fits", version)}


def test_a_worker_does_not_begin_on_rules_that_were_never_whole(settings: Settings, tmp_path: Path) -> None:
    """Without rules that were in force before, a broken folder ends the worker, saying where the fault is."""
    from worker.process import serve  # noqa: PLC0415 - it imports Celery

    folder = site_folder(tmp_path / "site", no_fp4_in_production=NO_FP4.replace("level: error", "level: eror"))
    with pytest.raises(InvalidSettingError, match=r"no-fp4-in-production\.yaml:2: level"):
        serve(settings.model_copy(update={"rules_path": folder}), "redis://127.0.0.1:1/0")
