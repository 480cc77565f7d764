"""What the documentation shows is what happens."""

import contextlib
import io
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from batch.catalog_file import read_catalog_file
from batch.plan import plan
from cli.main import COMMANDS
from rules.cases import run_cases
from rules.ruleset import load_rule_set
from rules.site import load_with_site
from rules.trial import load_here
from schemas.catalog_file import CatalogFile, CellFilter
from tests.integration.conftest import settings_for
from worker.process import worker_process
from worker.server import announced_server

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
ADDING = (ROOT / "docs" / "adding.md").read_text()
SITE_GUIDE = (ROOT / "docs" / "rules-of-your-own.md").read_text()
BATCH = (ROOT / "docs" / "batch.md").read_text()
RULE_ENGINE = (ROOT / "docs" / "rule-engine.md").read_text()


def test_the_readmes_example_prints_what_the_readme_says() -> None:
    """The first block of the README, run, gives the output below it."""
    block = re.search(r"```console\n\$ (.+?)\n(.+?)```", README, re.DOTALL)
    assert block is not None
    request, command = block[1].split(" | ")
    ran = subprocess.run(
        [sys.executable, "-m", "cli.main", *shlex.split(command)[1:]],
        input=shlex.split(request)[1],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "110"},
    )
    printed = [line.rstrip() for line in ran.stdout.rstrip().splitlines()]
    assert printed == block[2].rstrip().splitlines()


def test_the_readmes_python_client_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python block of the README gets its answers from a real worker."""
    block = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert block is not None
    settings = settings_for(tmp_path)
    with announced_server(settings, lambda *_: None) as server, worker_process(settings, server.url):
        for name, value in settings.environment(server.url).items():
            monkeypatch.setenv(name, value)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(block[1], {})  # noqa: S102 - the README's own example
    lines = printed.getvalue().splitlines()
    assert lines[0].startswith("ok tight")
    assert len(lines) == 3


@pytest.mark.parametrize("name", COMMANDS)
def test_the_readme_names_every_command(name: str) -> None:
    """The table of commands leaves none out."""
    assert re.search(rf"^\| .*`{name}[ `]", README, re.MULTILINE)


def test_the_rule_of_the_guide_loads_and_its_cases_pass(tmp_path: Path) -> None:
    """The rule that docs/adding.md shows is a whole rule."""
    block = re.search(r"```yaml\n# rules/advice/(.+?\.yaml)\n(.+?)```", ADDING, re.DOTALL)
    assert block is not None
    path = tmp_path / block[1]
    path.write_text(block[2])
    rule_set = load_rule_set([("advice", path)])
    assert [rule.id for rule in rule_set.rules] == [path.stem]
    assert run_cases(rule_set) == []


def test_the_sites_folder_of_the_guide_comes_into_force(tmp_path: Path) -> None:
    """The policies that docs/rules-of-your-own.md shows, with the facts and the changes to ours, are a whole folder."""
    blocks = re.findall(r"```yaml\n# (\S+)\n(.+?)```", SITE_GUIDE, re.DOTALL)
    assert {name for name, _ in blocks} > {"site.yaml"}
    for name, text in blocks:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + text)
    assert load_here(tmp_path).faults == ()
    names = {path.stem for path in tmp_path.glob("advice/*.yaml")}
    assert names <= {rule.id for rule in load_with_site(tmp_path).refusing}


def test_catalogue_of_the_guide_is_one(tmp_path: Path) -> None:
    """The file that docs/batch.md shows is read, every axis of it is used, and all its models are found or named."""
    block = re.search(r"```yaml\n# catalog.yaml\n(.+?)```", BATCH, re.DOTALL)
    assert block is not None
    path = tmp_path / "catalog.yaml"
    path.write_text(block[1])
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "own.json").write_text("{}")
    catalog = read_catalog_file(path)
    assert all(getattr(catalog, field) for field in CatalogFile.model_fields)
    told = plan(catalog, tmp_path, CellFilter())
    assert [entry.error for entry in told.entries if entry.error is not None] == []
    labels = {entry.label for entry in told.entries}
    assert labels >= {"Qwen/Qwen3-8B", "openai/gpt-oss-20b", "ours", "org/name", "configs/own.json"}
    assert sum(label.startswith("meta-llama/") for label in labels) > 3
    gpus = {gpu for axes in told.axes for gpu in axes.gpus}
    assert {count for _, count in gpus} == {1, 2}
    assert ("H100 SXM5 80GB", 1) in gpus


def test_every_hazard_names_a_test_that_is_there() -> None:
    """Each row of the table in docs/rule-engine.md ends with tests, each of which can be found by its name."""
    table = RULE_ENGINE.partition("## Hazards")[2].partition("## Gates")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ") and "| test |" not in line]
    assert len(rows) > 20
    folder = ROOT / "tests" / "unit" / "rules"
    everything = "".join(path.read_text() for path in folder.glob("*.py"))
    for *_, tests, _ in rows:
        named = re.findall(r"`([^`]+)`", tests)
        assert named or "the same" in tests
        for name in named:
            file, _, test = name.rpartition(": ")
            if file:
                assert test in (folder / file).read_text(), name
            elif name.endswith(".py"):
                assert (folder / name).is_file() or (ROOT / name).is_file(), name
            else:
                assert name in everything, name


PAGES = ["README.md", *(f"docs/{name}.md" for name in ("architecture", "adding", "protocol"))]
PAGES += ["docs/rule-engine.md", "docs/rules-of-your-own.md", "docs/observing.md", "docs/batch.md"]


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_the_documentation_names_exist(page: str) -> None:
    """Every file of ours named in code style or linked to is there."""
    text = (ROOT / page).read_text()
    named = re.findall(r"`((?:schemas|sizing|rules|worker|batch|cli|tests|docs|examples)/[\w./-]*)`", text)
    linked = [
        str((ROOT / page).parent.joinpath(target).relative_to(ROOT))
        for target in re.findall(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)", text)
    ]
    assert named or linked
    assert [path for path in (*named, *linked) if not (ROOT / path).exists()] == []
