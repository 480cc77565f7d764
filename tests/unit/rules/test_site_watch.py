"""What a site's folder says comes into force whole and tested, or not at all."""

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from rules.in_force import RulesInForce
from rules.reload_status import ReloadStatus, read_status
from rules.ruleset import load_rule_set
from rules.site import load_with_site
from rules.site_watch import BrokenRulesError, SiteWatch
from rules.trial import Trial, load_here, try_folder
from schemas.parse import parse_request

from .site_folders import HEADROOM, NO_FP4, site_folder

BROKEN = NO_FP4.replace("metadata_stage: production", "metadata_stgae: production", 1)
DENIED = parse_request(
    {
        "model": {"name": "Qwen/Qwen3-8B"},
        "weight_format": "nvfp4",
        "hardware": {"gpu": "RTX 5090"},
        "metadata": {"example.org/stage": "production"},
    }
)


class Site:
    """A folder, what watches it, and a process that answers by it."""

    def __init__(self, root: Path) -> None:
        self.folder = site_folder(root / "site", no_fp4_in_production=NO_FP4)
        self.home = root / "home"
        self.watch = SiteWatch(self.folder, self.home, trial=load_here)
        self.now = 0.0
        self.rules = RulesInForce(self.home, clock=lambda: self.now)

    def write(self, name: str, text: str) -> None:
        """Writes a rule of the site's."""
        (self.folder / "advice" / f"{name}.yaml").write_text(text, encoding="utf-8")

    def settle(self) -> ReloadStatus:
        """What is in force after the folder was the same for two looks."""
        self.watch.look()
        self.watch.look()
        status = self.watch.status
        assert status is not None
        return status

    def verdict(self) -> str:
        """What the process says of FP4 in production, a while later."""
        self.now += 10
        return self.rules.recommender().recommend(DENIED).verdict

    def version(self) -> str:
        """The version of the rules in an answer of the process."""
        self.now += 10
        return self.rules.recommender().recommend(DENIED).versions.rules


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A site that denies FP4 in production, in force."""
    made = Site(tmp_path)
    made.watch.begin()
    return made


def test_a_change_comes_into_force_without_a_restart(site: Site) -> None:
    """A process answers by the folder as it is, its version in the answer, and by the new one once it changed."""
    assert site.verdict() == "unsupported"
    assert site.version() == load_with_site(site.folder).version
    site.write("no-fp4-in-production", NO_FP4.replace("production", "staging"))
    status = site.settle()
    assert (status.reloads, status.broken) == (1, None)
    assert site.verdict() == "fits"
    assert site.version() == status.version == load_with_site(site.folder).version


def test_a_broken_folder_keeps_the_old_set_and_says_so(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The old rules answer on; the log and the status say what is wrong where; mending the folder ends it."""
    before = site.version()
    site.write("headroom-below-eight-percent", HEADROOM)
    site.write("no-fp4-in-production", BROKEN)
    with caplog.at_level(logging.ERROR):
        status = site.settle()
    assert status.broken is not None
    assert status.broken.startswith(f"{site.folder / 'advice' / 'no-fp4-in-production.yaml'}:5: ")
    assert "did you mean 'metadata_stage'?" in status.broken
    assert status.broken_since is not None
    assert (status.reloads, status.failures) == (0, 1)
    assert [record.__dict__["action"] for record in caplog.records] == ["refuse_rules"]
    assert status.broken in caplog.text
    assert site.verdict() == "unsupported"
    assert site.version() == before
    site.write("no-fp4-in-production", NO_FP4)
    status = site.settle()
    assert (status.broken, status.broken_since, status.reloads) == (None, None, 1)
    assert site.version() == status.version != before


def test_a_folder_put_back_as_it_was_is_whole_again(site: Site) -> None:
    """Undoing a fault needs no new copy: what is in force is what the folder says."""
    before = site.watch.status
    site.write("no-fp4-in-production", BROKEN)
    assert site.settle().broken is not None
    site.write("no-fp4-in-production", NO_FP4)
    after = site.settle()
    assert before is not None
    assert after == replace(before, failures=1)


def test_rules_whose_cases_fail_do_not_come_into_force(site: Site) -> None:
    """A folder that loads and does not do what it says is broken too."""
    site.write("headroom-below-eight-percent", HEADROOM.replace("lt: 8", "lt: 5"))
    assert "does not fire, unlike its case says" in str(site.settle().broken)


def test_a_folder_that_is_being_written_is_left_alone(site: Site) -> None:
    """Between two looks that differ nothing is taken in: what is there may be half of what is meant."""
    site.write("headroom-below-eight-percent", HEADROOM)
    site.watch.look()
    site.write("no-fp4-in-production", NO_FP4.replace("production", "staging"))
    site.watch.look()
    assert site.watch.status is not None
    assert site.watch.status.reloads == 0
    site.watch.look()
    assert site.watch.status.reloads == 1


def test_what_is_tried_is_what_is_loaded(site: Site) -> None:
    """A folder that changes while it is tried does not change what comes into force."""

    def meddling(copy: Path) -> Trial:
        site.write("no-fp4-in-production", BROKEN)
        return load_here(copy)

    site.watch = SiteWatch(site.folder, site.home, trial=meddling)
    site.write("headroom-below-eight-percent", HEADROOM)
    tried = load_with_site(site.folder).version
    assert site.watch.begin().version == tried
    assert site.version() == tried


def test_a_process_that_begins_while_the_folder_is_broken_answers_by_the_old_set(site: Site) -> None:
    """A pool process made anew has the rules in force, not those of the broken folder, and not ours alone."""
    before = site.version()
    site.write("no-fp4-in-production", BROKEN)
    site.settle()
    assert RulesInForce(site.home).recommender().recommend(DENIED).versions.rules == before


def test_a_worker_restarted_on_a_broken_folder_keeps_the_old_set(site: Site) -> None:
    """What was in force when it ended is in force again, tried again, and the folder is told to be broken."""
    before = site.version()
    site.write("no-fp4-in-production", BROKEN)
    again = SiteWatch(site.folder, site.home, trial=load_here)
    status = again.begin()
    assert (status.version, status.failures) == (before, 1)
    assert "metadata_stgae" in str(status.broken)
    assert site.verdict() == "unsupported"


def test_without_any_whole_set_nothing_begins(tmp_path: Path) -> None:
    """A site's rules that were never whole are no reason to answer without them."""
    site = Site(tmp_path)
    site.write("no-fp4-in-production", BROKEN)
    with pytest.raises(BrokenRulesError, match="metadata_stgae"):
        site.watch.begin()
    assert read_status(site.home) is None


def test_the_old_set_of_another_folder_is_not_kept(site: Site, tmp_path: Path) -> None:
    """What another site's folder said is nobody's old set."""
    other = site_folder(tmp_path / "other", no_fp4_in_production=BROKEN)
    with pytest.raises(BrokenRulesError):
        SiteWatch(other, site.home, trial=load_here).begin()


def test_a_folder_that_goes_away_keeps_the_old_set(site: Site) -> None:
    """An unmounted folder is a broken one, not a site without rules."""
    shutil.rmtree(site.folder)
    assert "is not a folder" in str(site.settle().broken)
    assert site.verdict() == "unsupported"


def test_a_link_to_nothing_breaks_the_folder(site: Site, tmp_path: Path) -> None:
    """A rule that lies behind a link to nothing is not left out of the copy: the folder is broken."""
    (site.folder / "advice" / "headroom-below-eight-percent.yaml").symlink_to(tmp_path / "nowhere")
    assert "cannot be read" in str(site.settle().broken)


def test_a_trial_that_failed_by_chance_is_tried_again(site: Site) -> None:
    """A trial that ran out of time is repeated after a while, though the folder is the same."""
    slow = [Trial(version=None, faults=("loading it did not end within 60 s",))]
    site.watch._try = lambda copy: slow.pop() if slow else load_here(copy)
    site.write("headroom-below-eight-percent", HEADROOM)
    assert "did not end" in str(site.settle().broken)
    for _ in range(61):
        site.watch.look()
    assert site.watch.status is not None
    assert site.watch.status.broken is None


def test_a_process_looks_at_most_once_a_second(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two requests within a second not even a file is looked at."""
    site.verdict()
    looked: list[Path] = []
    real = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> object:
        looked.append(path)
        return real(path, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(Path, "stat", stat)
    for _ in range(100):
        site.rules.recommender()
    assert looked == []
    site.now += 1
    site.rules.recommender()
    assert looked == [site.home / "status.json"]


def test_a_process_without_a_site_answers_by_ours() -> None:
    """Where no folder is named, the rules are those that come with the project."""
    assert RulesInForce(None).recommender().recommend(DENIED).versions.rules == load_rule_set().version


def test_few_copies_are_kept(site: Site) -> None:
    """After many changes the copies in force and before it are there, and no others."""
    for number in range(5):
        site.write("no-fp4-in-production", NO_FP4.replace("policy 12", f"policy {number}"))
        site.settle()
    assert len([path for path in site.home.iterdir() if path.is_dir()]) == 2


def test_the_status_is_for_metrics_and_people(site: Site) -> None:
    """What is noted is JSON that any program reads."""
    noted = json.loads((site.home / "status.json").read_text())
    assert noted["version"].startswith("sha256:")
    assert noted["broken"] is None
    assert {"reloads", "failures", "in_force_since", "broken_since", "folder", "rules"} < noted.keys()


def test_a_thread_looks_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Watching in a thread, with trials in children, a change comes into force; a look that fails is not the last."""
    monkeypatch.setattr("rules.site_watch.INTERVAL_SECONDS", 0.05)
    site = Site(tmp_path)
    site.watch = SiteWatch(site.folder, site.home, trial=try_folder)
    before = site.watch.begin()
    in_force, stop = Event(), Event()
    noted = ReloadStatus.write

    def write(status: ReloadStatus, home: Path) -> None:
        noted(status, home)
        in_force.set()

    monkeypatch.setattr(ReloadStatus, "write", write)
    thread = site.watch.watch(stop)
    site.write("headroom-below-eight-percent", HEADROOM)
    assert in_force.wait(60)
    stop.set()
    thread.join()
    assert site.watch.status is not None
    assert site.watch.status.version != before.version
    assert site.version() == site.watch.status.version
