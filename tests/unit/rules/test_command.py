"""``weighbridge rules``."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.rules import rules
from rules.cases import CaseFailure, run_cases
from rules.facts import PassName
from rules.loader import RuleError, read_rule
from rules.reload_status import ReloadStatus
from rules.ruleset import load_rule_set, packaged_defaults, rule_set_of
from rules.site import load_with_site

from .site_folders import NO_FP4, site_folder


def test_list_names_every_rule() -> None:
    """As JSON Lines there is one object a rule, and as a table every id is printed."""
    ids = [rule.id for rule in load_rule_set().rules]
    lines = CliRunner().invoke(rules, ["list", "--json"]).stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    table = CliRunner().invoke(rules, ["list"])
    assert table.exit_code == 0


def test_show_prints_a_rule() -> None:
    """A person sees its conditions, both messages, its preferences and its source."""
    shown = CliRunner().invoke(rules, ["show", "fp8-without-fp8-tensor-cores"])
    assert shown.exit_code == 0
    for part in ("weights_support is", "no FP8 tensor core", "张量核心", "awq-int4, gptq-int4", "vLLM docs"):
        assert part in shown.output


def test_show_names_the_nearest_rule() -> None:
    """An unknown id is bad input, answered with the nearest one."""
    shown = CliRunner().invoke(rules, ["show", "fp8-without-tensor-cores"])
    assert shown.exit_code == 2
    assert "fp8-without-fp8-tensor-cores" in shown.stderr


def test_test_runs_every_case() -> None:
    """All cases hold, and the summary counts them."""
    ran = CliRunner().invoke(rules, ["test"])
    assert ran.exit_code == 0
    assert "0 failed" in ran.output


def test_test_tells_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing case is printed with its file and line, and the exit status is 1."""
    rule = load_rule_set().rules[0]
    failure = CaseFailure(rule=rule, case=rule.cases[0])
    monkeypatch.setattr("rules.cases.run_cases", lambda _: [failure])
    ran = CliRunner().invoke(rules, ["test"])
    assert ran.exit_code == 1
    assert f"{rule.origin.file}:" in ran.output


def test_test_tells_a_rule_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule file that is refused is told with its file and line, and the exit status is 1."""
    origin = load_rule_set().rules[0].origin

    def refuse() -> None:
        raise RuleError(origin, "cannot be meant")

    monkeypatch.setattr("rules.ruleset.load_rule_set", refuse)
    ran = CliRunner().invoke(rules, ["test"])
    assert ran.exit_code == 1
    assert ran.output == f"{origin}: cannot be meant\n"


def test_list_tells_which_set_is_in_force(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a site's folder its rules are listed as the site's, and the version is that of both together."""
    folder = site_folder(tmp_path / "site", no_fp4_in_production=NO_FP4)
    monkeypatch.setenv("WEIGHBRIDGE_RULES_PATH", str(folder))
    monkeypatch.setenv("WEIGHBRIDGE_HOME", str(tmp_path / "home"))
    ran = CliRunner().invoke(rules, ["list", "--json"])
    assert ran.exit_code == 0
    of = {row["id"]: row["of"] for row in map(json.loads, ran.stdout.splitlines())}
    assert {name for name, whose in of.items() if whose == "site"} == {"no-fp4-in-production"}
    assert ran.stderr == f"rules {load_with_site(folder).version}, with those of {folder}\n"


def test_list_tells_a_broken_folder_and_what_workers_answer_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken folder is told with its fault and exit status 1; so is what a worker of this machine has noted."""
    folder = site_folder(tmp_path / "site", no_fp4_in_production=NO_FP4.replace("weight_format_kind", "weight_kind"))
    noted = tmp_path / "home" / "rules" / "worker-1"
    noted.mkdir(parents=True)
    ReloadStatus(
        folder=str(folder),
        in_force="0123",
        version="sha256:4567",
        rules=181,
        in_force_since="2026-11-25T15:00:00+00:00",
        broken="site.yaml:1: is empty",
        broken_since="2026-11-25T16:00:00+00:00",
    ).write(noted)
    monkeypatch.setenv("WEIGHBRIDGE_RULES_PATH", str(folder))
    monkeypatch.setenv("WEIGHBRIDGE_HOME", str(tmp_path / "home"))
    ran = CliRunner().invoke(rules, ["list"])
    assert ran.exit_code == 1
    assert f"{folder} is broken, and ours alone are listed: {folder}/advice/no-fp4-in-production.yaml:6: " in ran.stderr
    assert "worker worker-1 answers by sha256:4567 since 2026-11-25T15:00:00+00:00" in ran.stderr
    assert f"worker worker-1 refuses {folder} since 2026-11-25T16:00:00+00:00: site.yaml:1: is empty" in ran.stderr


def test_test_tries_a_sites_folder(tmp_path: Path) -> None:
    """A whole folder is told with the version it comes into force as; a broken one with its faults and status 1."""
    folder = site_folder(tmp_path, no_fp4_in_production=NO_FP4)
    whole = CliRunner().invoke(rules, ["test", str(folder)])
    assert whole.exit_code == 0
    assert f"comes into force as {load_with_site(folder).version}" in whole.stdout
    site_folder(tmp_path, no_fp4_in_production=NO_FP4.replace("fires: true", "fires: false"))
    broken = CliRunner().invoke(rules, ["test", str(folder)])
    assert broken.exit_code == 1
    assert "at least one must fire" in broken.stdout


@pytest.mark.parametrize("of", ["advice", "support"])
def test_new_writes_a_rule_whose_cases_fail_until_it_is_written(tmp_path: Path, of: PassName) -> None:
    """The template loads as it is, and one of its cases fails; another of the same name is not written over."""
    command = ["new", "fp4-is-not-for-us", "--folder", str(tmp_path), "--pass", of]
    assert CliRunner().invoke(rules, command).exit_code == 0
    path = tmp_path / of / "fp4-is-not-for-us.yaml"
    rule = read_rule(of, path, packaged_defaults()[of])
    assert [failure.case.fires for failure in run_cases(rule_set_of([rule]))] == [True]
    again = CliRunner().invoke(rules, command)
    assert again.exit_code == 2
    assert "is there already" in again.stderr


def test_new_refuses_what_is_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no statement, and no folder to write to, are bad input."""
    assert CliRunner().invoke(rules, ["new", "FP4", "--folder", str(tmp_path)]).exit_code == 2
    monkeypatch.delenv("WEIGHBRIDGE_RULES_PATH", raising=False)
    assert "say where" in CliRunner().invoke(rules, ["new", "fp4-is-not-for-us"]).stderr


def test_facts_are_listed_with_their_meaning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fact of both passes has a meaning, and a site's facts are among them."""
    monkeypatch.setenv("WEIGHBRIDGE_RULES_PATH", str(site_folder(tmp_path)))
    rows = [json.loads(line) for line in CliRunner().invoke(rules, ["facts", "--json"]).stdout.splitlines()]
    meanings = {(row["pass"], row["fact"]): row["meaning"] for row in rows}
    assert all(meanings.values())
    assert meanings["advice", "headroom_percent"] == (
        "What is left in hundredths of what the engine may plan with, rounded down."
    )
    assert meanings["advice", "metadata_stage"] == "of this site"
    assert ("support", "metadata_stage") not in meanings
