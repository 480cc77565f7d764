"""The secrets that deploy/secrets.sh makes, put to use as deploy/compose.secure.yml does."""

import shutil
import subprocess
from pathlib import Path

import pytest

from worker import child
from worker.client import Client
from worker.embedded import free_port
from worker.settings import Settings

from .conftest import a_request
from .polling import eventually
from .secured_server import HOST, SHIPPED, answers, binary, speaks_tls

SCRIPT = SHIPPED.parent / "secrets.sh"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with secrets."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl")
    folder = tmp_path_factory.mktemp("made") / "secrets"
    subprocess.run([SCRIPT, folder, HOST], check=True, capture_output=True)
    return folder


def test_secrets_are_closed_to_others_and_made_once(made: Path) -> None:
    """Only their owner gets at them on this machine, and running the script again changes none."""
    assert made.stat().st_mode & 0o777 == 0o700
    assert (made / "ca_key").stat().st_mode & 0o777 == 0o600
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    subprocess.run([SCRIPT, made, HOST], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in made.iterdir()} == before
    assert len({text for name, text in before.items() if name.endswith(("_password", "signing_key"))}) == 5


def test_server_with_them_is_the_one_that_is_meant(made: Path, tmp_path: Path) -> None:
    """Shipped configuration, made secrets and the settings of the compose file belong together."""
    if not speaks_tls(program := binary("path")):
        pytest.skip(f"{program} was built without TLS")
    port = free_port()
    options = ["--tls-port", str(port), "--dir", str(tmp_path), "--bind", "127.0.0.1"]
    for name, file in (("cert", "server_certificate"), ("key", "server_key"), ("ca-cert", "ca_certificate")):
        options += [f"--tls-{name}-file", str(made / file)]
    environment = {"PATH": "/usr/bin:/bin", "PASSWORDS": str(made), "ACL_FILE": str(tmp_path / "users.acl")}
    with (tmp_path / "log").open("wb") as log:
        server = child.start(
            [str(SHIPPED / "start.sh"), str(program.path), *options], output=log, environment=environment
        )
    settings = Settings.from_environment(
        {
            "WEIGHBRIDGE_REDIS_URL": f"rediss://producer@{HOST}:{port}/0",
            "WEIGHBRIDGE_REDIS_PASSWORD_FILE": str(made / "producer_password"),
            "WEIGHBRIDGE_REDIS_CA_FILE": str(made / "ca_certificate"),
            "WEIGHBRIDGE_SIGNING_KEY_FILE": str(made / "signing_key"),
        }
    )
    try:
        assert eventually(lambda: answers(str(settings.url)), within=15), (tmp_path / "log").read_text(encoding="utf-8")
        with Client.open(settings) as client:
            client.submit(a_request())
        assert (tmp_path / "users.acl").stat().st_mode & 0o777 == 0o600
    finally:
        child.end(server, patience_seconds=10)


def test_server_does_not_start_without_passwords(made: Path, tmp_path: Path) -> None:
    """A password that is missing or empty lets nobody in, rather than everybody."""
    folder = shutil.copytree(made, tmp_path / "secrets")
    (folder / "reader_password").chmod(0o600)
    for damage in (lambda path: path.write_text("\n"), Path.unlink):
        damage(folder / "reader_password")
        ended = subprocess.run(
            [SHIPPED / "start.sh", "true"],
            env={"PATH": "/usr/bin:/bin", "PASSWORDS": str(folder), "ACL_FILE": str(tmp_path / "users.acl")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode != 0
        assert "reader_password" in ended.stderr
