"""A site's folder is tried in a process that may fail in any way."""

import sys
from pathlib import Path

import pytest

from rules.site import load_with_site
from rules.trial import try_folder

from .site_folders import NO_FP4, site_folder


def test_a_whole_folder_is_told_by_its_version(tmp_path: Path) -> None:
    """The child loads what this process would load, and has run its cases."""
    folder = site_folder(tmp_path, no_fp4_in_production=NO_FP4)
    trial = try_folder(folder)
    rule_set = load_with_site(folder)
    assert (trial.version, trial.rules, trial.faults) == (rule_set.version, len(rule_set.rules), ())
    assert trial.cases > 2 * trial.rules


def test_every_case_that_fails_is_told(tmp_path: Path) -> None:
    """Two rules that do not do what their cases say are two faults, each with file and line."""
    broken = NO_FP4.replace("metadata_stage: production\n", "metadata_stage: staging\n", 1)
    folder = site_folder(tmp_path, no_fp4_in_production=broken, no_fp4_at_all=broken)
    trial = try_folder(folder)
    assert trial.version is None
    assert trial.faults == tuple(
        f"{folder / 'advice' / name}.yaml:14: {name} does not fire, unlike its case says"
        for name in ("no-fp4-at-all", "no-fp4-in-production")
    )
    assert str(trial.fault).endswith("; 1 more")


def test_a_fault_in_a_file_is_told_with_its_line(tmp_path: Path) -> None:
    """What the loader refuses in the child is what the operator reads."""
    folder = site_folder(tmp_path, site="disable: [fp4-is-natve]\n")
    where = f"{folder / 'site.yaml'}:1: "
    assert try_folder(folder).fault == f"{where}we have no rule 'fp4-is-natve'; did you mean 'fp4-is-native'?"


def test_a_child_that_hangs_is_given_up(tmp_path: Path) -> None:
    """A load that does not end in time is a fault."""
    assert try_folder(site_folder(tmp_path), seconds=0.01).fault == "loading it did not end within 0.01 s"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("kill -SEGV $$", "ended the process with signal 11"),
        ("echo out of memory >&2; exit 3", "ended the process with status 3: out of memory"),
        ("echo '[]'", "ended the process with status 0"),
    ],
)
def test_a_child_that_crashes_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    """However the child ends, this process lives and says how."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    assert reason in str(try_folder(tmp_path).fault)
