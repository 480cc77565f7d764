"""What deploy/ ships for a queue that several parties use, checked without a server or a container engine."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from checkpoints.sources import PREFIX
from worker.settings import QUEUES, SECRETS, Settings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
OVERLAY = DEPLOY / "compose.secure.yml"
SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
FILES = {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS}


@pytest.fixture(scope="module")
def overlay() -> dict[str, Any]:
    """The overlay, read."""
    read: dict[str, Any] = yaml.safe_load(OVERLAY.read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def users() -> dict[str, str]:
    """The rules of each user."""
    text = "\n".join(
        line for line in (DEPLOY / "redis" / "users.acl").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
    )
    stanzas = re.split(r"^user ", text, flags=re.MULTILINE)[1:]
    return {name: " ".join(rules.split()) for name, _, rules in (stanza.partition(" ") for stanza in stanzas)}


@pytest.fixture(scope="module")
def configuration() -> dict[str, list[str]]:
    """The server's configuration."""
    lines = (DEPLOY / "redis" / "redis.conf").read_text(encoding="utf-8").splitlines()
    words = [shlex.split(line) for line in lines if line and not line.startswith("#")]
    return {line[0]: line[1:] for line in words}


def test_overlay_obeys_the_public_schema() -> None:
    """deploy/compose.secure.yml is valid by the compose specification's own schema."""
    check = ["-W", "ignore", "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(OVERLAY)]
    checked = subprocess.run([sys.executable, *check], capture_output=True, text=True, timeout=60, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_variables_of_the_overlay_are_settings(overlay: dict[str, Any]) -> None:
    """Every variable is one that the settings read, and no secret stands in one."""
    for service in ("worker", "example"):
        environment = overlay["services"][service]["environment"]
        assert set(environment) <= SETTINGS | FILES
        assert re.fullmatch(r"rediss://[a-z]+@redis:6379/0", environment["WEIGHBRIDGE_REDIS_URL"])


def test_secrets_are_declared_given_and_made(overlay: dict[str, Any]) -> None:
    """A service's secrets are files that secrets.sh makes, and it is given each that it is told of."""
    made = (DEPLOY / "secrets.sh").read_text(encoding="utf-8")
    for name, secret in overlay["secrets"].items():
        assert secret == {"file": f"./deploy/secrets/{name}"}
        assert name in made
    for service in overlay["services"].values():
        told = re.findall(r"/run/secrets/(\w+)", str(service))
        assert set(told) <= set(service["secrets"]) <= set(overlay["secrets"])
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_nobody_gets_anothers_secret(overlay: dict[str, Any]) -> None:
    """A worker has no other user's password, and no client has the server's key."""
    services = overlay["services"]
    assert set(services["worker"]["secrets"]) == {"ca_certificate", "worker_password", "signing_key"}
    assert set(services["example"]["secrets"]) == {"ca_certificate", "producer_password", "signing_key"}
    assert "signing_key" not in services["redis"]["secrets"]


@pytest.mark.parametrize("service", ["redis", "worker", "example"])
def test_containers_have_no_privileges(overlay: dict[str, Any], service: str) -> None:
    """Nothing is written but /tmp and volumes, no capability is kept, and none can be gained."""
    base = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"][service]
    told = base | overlay["services"][service]
    assert told["read_only"] is True
    assert told["tmpfs"] == ["/tmp"]  # noqa: S108 - a tmpfs of the container's own
    assert told["cap_drop"] == ["ALL"]
    assert told["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "ports", "network_mode", "pid"} & set(told)


def test_server_speaks_tls_alone_and_keeps_what_it_accepted(configuration: dict[str, list[str]]) -> None:
    """There is no plain port; nothing is evicted; there are limits."""
    assert configuration["port"] == ["0"]
    assert configuration["tls-port"] == ["6379"]
    assert configuration["tls-protocols"] == ["TLSv1.2 TLSv1.3"]
    assert configuration["appendonly"] == ["yes"]
    assert configuration["appendfsync"] == ["everysec"]
    assert configuration["maxmemory-policy"] == ["noeviction"]
    assert configuration["maxmemory"] == ["1gb"]


def test_longest_value_leaves_room_for_the_longest_message(configuration: dict[str, list[str]]) -> None:
    """What the service accepts, the server takes; its messages are framed in a few more bytes."""
    longest = int(configuration["proto-max-bulk-len"][0].removesuffix("mb")) * 2**20
    assert 2 * Settings().max_message_bytes <= longest <= 8 * 2**20


def test_everybody_has_a_password_but_the_default_user_who_has_nothing(users: dict[str, str]) -> None:
    """Each user has a placeholder of its own name."""
    assert users.pop("default") == "reset"
    assert set(users) == {"worker", "producer", "reader", "operator"}
    for name, rules in users.items():
        assert f"#{{{name}}}" in rules.split()
        assert "nopass" not in rules
        assert "resetchannels" in rules


def test_no_user_has_more_than_the_service(users: dict[str, str]) -> None:
    """Keys and channels are below the prefix, and no right reaches the server itself."""
    for rules in users.values():
        words = rules.replace("(", " ").replace(")", " ").split()
        patterns = [word for word in words if word[0] in "~%&"]
        assert all(re.fullmatch(r"(%[RW]+)?[~&]weighbridge:\S*", pattern) for pattern in patterns)
        assert not {"allkeys", "allchannels", "allcommands", "+@all", "+@dangerous", "+@admin", "+@scripting"} & set(
            words
        )
        assert not [
            word for word in words if re.match(r"\+(config|acl|debug|client|keys|scan|flush\w*|shutdown)\b", word)
        ]


def test_producer_reaches_every_queue(users: dict[str, str]) -> None:
    """A queue that is added is one that requests can be sent to."""
    patterns = re.findall(r"%W~weighbridge:(\S+)\*", users["producer"])
    assert all(any(queue.startswith(pattern) for pattern in patterns) for queue in QUEUES)
