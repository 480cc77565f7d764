"""docs/admission.md, held against the code."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from admission.context import Context
from admission.decide import decide
from admission.http.openapi import openapi
from admission.kueue import names
from admission.kueue.settings import KueueSettings
from admission.manifest import annotations
from admission.settings import AdmissionSettings
from cli.main import COMMANDS
from schemas.decision import DecisionCode, Mode, Reason
from worker.settings import Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "admission.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The rows of all tables whose head begins with ``heading``."""
    tables = [part.partition("\n\n")[0] for part in PAGE.split(f"\n| {heading} |")[1:]]
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for each in tables
        for line in each.splitlines()[2:]
    ]


def column(heading: str) -> list[str]:
    """The words in the first column of those tables."""
    return [word for first, *_ in rows(heading) for word in re.findall(r"`([^`]+)`", first)]


def test_every_code_and_reason_is_told() -> None:
    """The tables have the tokens of the contract, all of them and in its order."""
    assert column("code") == list(get_args(DecisionCode))
    assert column("reason") == list(get_args(Reason))


def test_every_annotation_is_told() -> None:
    """What the reader takes from annotations is in the table, and nothing else is."""
    read = [*annotations._WORDS, *annotations._LISTED, *annotations._WHOLE, "gpu-memory-utilization", "bypass"]
    assert sorted(column("annotation")) == sorted(f"{annotations.PREFIX}{name}" for name in read)
    assert f"{annotations.PREFIX}bypass" == names.BYPASS_ANNOTATION
    for name in (names.DECISION_ANNOTATION, names.DECISION_ID_ANNOTATION, names.RECOMMENDED_ARGUMENTS_ANNOTATION):
        assert f"`{name}`" in PAGE
        assert name not in column("annotation")


def test_variables_are_settings_with_their_defaults() -> None:
    """Every variable of the page is a setting; all of the controller's are there, and defaults are as they say."""
    kinds = (Settings, AdmissionSettings, KueueSettings)
    fields = {kind.variable(name): field for kind in kinds for name, field in kind.model_fields.items()}
    assert set(re.findall(r"WEIGHBRIDGE_[A-Z_]*[A-Z]", PAGE)) <= set(fields)
    told = {first.strip("`"): default.strip("`") for first, default, _ in rows("variable")}
    assert {KueueSettings.variable(name) for name in KueueSettings.model_fields} <= set(told)
    for variable, default in told.items():
        if fields[variable].default_factory is None:
            known = fields[variable].default
            shown = (
                ""
                if known is None
                else str(known).lower()
                if isinstance(known, bool)
                else f"{known}".removesuffix(".0")
            )
            assert default == shown, variable


def test_commands_and_files_are_there() -> None:
    """What the page tells to run or to apply exists."""
    run = re.findall(r"(?:`|^ +|=\S+ )weighbridge ([a-z]+)", re.sub(r"<!--.*?-->", "", PAGE), re.MULTILINE)
    assert {"serve", "kueue", "settings"} <= set(run) <= set(COMMANDS)
    for path in re.findall(r"deploy/kubernetes/[a-z/.-]*[a-z]", PAGE):
        assert (ROOT / path).exists(), path


def told_of(mode: Mode) -> Any:  # noqa: ANN401 - a decision
    """What is decided of the Deployment of the page."""
    (manifest,) = re.findall(r"```yaml\n# llama.yaml\n(.*?)```", PAGE, re.DOTALL)
    value: Mapping[str, Any] = yaml.safe_load(manifest)
    return decide(value, Context(mode=mode))


@pytest.mark.parametrize(("mode", "is_let_in"), [("off", True), ("warn", True), ("enforce", False)])
def test_deployment_of_the_page_is_refused(mode: Mode, is_let_in: bool) -> None:  # noqa: FBT001 - a case
    """The example does not fit, is let in until it is enforced, and would start with the arguments that are named."""
    decision = told_of(mode)
    assert (decision.code, decision.allowed) == ("fit_with_changes", is_let_in)
    (container,) = decision.containers
    assert container.change is not None
    assert container.change.arguments


def test_paths_are_served() -> None:
    """Every path of the table is a route of the front door."""
    assert set(column("path")) == {*openapi()["paths"], "/openapi.json"}
