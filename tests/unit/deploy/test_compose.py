"""The files that images and containers are made from, checked without a container engine."""

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from checkpoints.sources import PREFIX
from cli.main import COMMANDS, main
from worker.settings import Settings

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """docker-compose.yml, read."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def dockerfile() -> list[list[str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_compose_file_obeys_the_public_schema() -> None:
    """docker-compose.yml is valid by the compose specification's own schema."""
    checked = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "check_jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            str(ROOT / "docker-compose.yml"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("service", ["worker", "example"])
def test_services_run_commands_that_exist(compose: dict[str, Any], service: str) -> None:
    """What a container runs is a command of ours, with options it has."""
    command = compose["services"][service]["command"]
    assert command[0] in COMMANDS
    told = CliRunner().invoke(main, [command[0], "--help"])
    assert told.exit_code == 0
    assert all(word in told.output for word in command[1:] if word.startswith("--"))


def test_worker_is_healthy_when_it_answers(compose: dict[str, Any]) -> None:
    """The worker's health check is the command that sends a request through its queue, with time to spare."""
    check = compose["services"]["worker"]["healthcheck"]
    assert check["test"][:4] == ["CMD", "weighbridge", "worker", "--check"]
    assert float(check["test"][check["test"].index("--timeout") + 1]) < float(check["timeout"].rstrip("s"))


def test_services_wait_for_what_they_need(compose: dict[str, Any]) -> None:
    """The worker waits for a healthy server, and the example for a healthy worker."""
    services = compose["services"]
    healthy = {"condition": "service_healthy"}
    assert services["worker"]["depends_on"] == {"redis": healthy}
    assert services["example"]["depends_on"] == {"worker": healthy}
    assert all("healthcheck" in services[name] for name in ("redis", "worker"))


def test_variables_are_settings(compose: dict[str, Any]) -> None:
    """Every variable that a container gets is one that the settings read, with a value they accept."""
    for service in ("worker", "example"):
        environment = compose["services"][service]["environment"]
        assert {name.removeprefix(PREFIX).lower() for name in environment} <= set(Settings.model_fields)
        assert Settings.from_environment(environment).url is not None


def test_server_keeps_what_it_accepted(compose: dict[str, Any]) -> None:
    """The server writes to a volume, evicts nothing, and has a limit."""
    command = shlex.join(compose["services"]["redis"]["command"])
    for option in (
        "--appendonly yes",
        "--appendfsync everysec",
        "--maxmemory-policy noeviction",
        "--maxmemory 1gb",
    ):
        assert option in command
    assert compose["services"]["redis"]["volumes"] == ["queue:/data"]


def test_worker_gets_time_to_stop(compose: dict[str, Any]) -> None:
    """A container is not killed before the longest task, and what follows it, may end."""
    grace = float(compose["services"]["worker"]["stop_grace_period"].rstrip("s"))
    assert grace > Settings().hard_time_limit_seconds


def test_example_sends_a_file_that_is_in_the_image(compose: dict[str, Any]) -> None:
    """The example's requests are where the image has them."""
    file = Path(compose["services"]["example"]["command"][-1])
    assert (ROOT / file.relative_to("/")).is_file()


def test_image_copies_what_exists_and_the_ignore_file_lets_through(dockerfile: list[list[str]]) -> None:
    """Every file the Dockerfile copies is there, and is sent to the engine."""
    let_through = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [word for words in dockerfile if words[0] == "COPY" and "--from" not in words[1] for word in words[1:-1]]
    assert copied
    for name in copied:
        assert (ROOT / name).exists()
        assert f"!{name}" in let_through


def test_image_holds_every_room(dockerfile: list[list[str]]) -> None:
    """A room that the wheel has is copied before it is built."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert {f"COPY {room} {room}" for room in rooms} <= {" ".join(words) for words in dockerfile}


def test_image_runs_as_nobody_special(dockerfile: list[list[str]]) -> None:
    """The last stage ends as an ordinary user and runs our command."""
    last = {words[0]: words[1:] for words in dockerfile}
    assert int(last["USER"][0]) > 0
    assert last["ENTRYPOINT"] == ['["weighbridge"]']
    assert last["FROM"][0].startswith("python:3.13-slim")
