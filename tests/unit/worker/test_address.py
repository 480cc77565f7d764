"""What an address may say, and what settings add to it."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from schemas.errors import InvalidSettingError
from worker.address import complete, faults
from worker.app import create_app
from worker.connection import tls_options
from worker.settings import Settings

ADDRESS = "rediss://worker@queue.example:6380/0"


def understood(url: str) -> dict[str, Any]:
    """What redis-py makes of an address."""
    client = Redis.from_url(url)
    told: dict[str, Any] = client.connection_pool.connection_kwargs
    client.close()
    return told


@pytest.mark.parametrize(
    "option",
    [
        "ssl_cert_reqs=none",
        "ssl_cert_reqs=optional",
        "ssl_cert_reqs=CERT_NONE",
        "ssl_cert_reqs=",
        "ssl_check_hostname=false",
        "ssl_check_hostname=0",
        "ssl_cert_reqs=required&ssl_cert_reqs=none",
        "ssl_exclude_verify_flags=VERIFY_X509_STRICT",
        "ssl_ciphers=NULL",
    ],
)
def test_verification_cannot_be_turned_off(option: str) -> None:
    """An address that would let anybody be the server is refused, in whatever words."""
    with pytest.raises(InvalidSettingError, match="always verified"):
        Settings.from_environment({"WEIGHBRIDGE_REDIS_URL": f"{ADDRESS}?{option}"})


@pytest.mark.parametrize(
    "url",
    ["redis://:hunter2/more@queue:6379/0", "redis://:hunter2;more@queue/0", "redis://:hunter2#more@queue/0"],
)
def test_password_that_cuts_the_address_in_two_is_not_told(url: str) -> None:
    """It is refused before a library tells of a port that is half a password."""
    assert faults(url) is not None
    with pytest.raises(InvalidSettingError) as told:
        Settings.from_environment({"WEIGHBRIDGE_REDIS_URL": url})
    assert "hunter2" not in told.value.message + str(told.value.hint)


def test_harmless_options_are_taken() -> None:
    """What names files, or says what holds anyway, may stand in an address."""
    assert faults(f"{ADDRESS}?ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=required&ssl_check_hostname=true") is None


@pytest.mark.parametrize("password", ["plain", "p:/?#@%&;+ é", "%41"])
def test_any_password_reaches_the_server_as_it_is(password: str) -> None:
    """A password of its own is escaped for whoever reads the address, and takes the place of the one there."""
    for url in (ADDRESS, "rediss://worker:old@queue.example:6380/0"):
        told = understood(complete(url, password=password, ca_file=Path("/a b/ca.pem")))
        assert (told["username"], told["password"], told["host"]) == ("worker", password, "queue.example")
        assert told["ssl_ca_certs"] == "/a b/ca.pem"
    assert understood(complete("redis://queue/0", password=password))["password"] == password


def test_completing_twice_changes_nothing() -> None:
    """A child process is told the whole address, and what it is made of again."""
    once = complete(ADDRESS, password="a/b", ca_file=Path("/ca.pem"))
    assert complete(once, password="a/b", ca_file=Path("/ca.pem")) == once


def test_celery_verifies_as_we_do(tmp_path: Path) -> None:
    """Told nothing, Celery would speak plain text to a rediss:// address under a transport of another name."""
    (tmp_path / "ca.pem").touch()
    settings = Settings.from_environment(
        {"WEIGHBRIDGE_REDIS_URL": ADDRESS, "WEIGHBRIDGE_REDIS_CA_FILE": str(tmp_path / "ca.pem")}
    )
    for url in (ADDRESS, str(settings.url)):
        app = create_app(Settings(), url)
        with app.connection_for_write() as connection:
            assert connection.ssl["ssl_cert_reqs"] in {"required", ssl.CERT_REQUIRED}
            assert connection.ssl.get("ssl_check_hostname", True)
        app.close()
    assert connection.ssl["ssl_ca_certs"] == str(tmp_path / "ca.pem")
    assert tls_options("redis://queue/0") is None


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"WEIGHBRIDGE_REDIS_PASSWORD": "hunter2"}, "needs WEIGHBRIDGE_REDIS_URL"),
        ({"WEIGHBRIDGE_REDIS_CA_FILE": "/nowhere"}, "cannot be read"),
        ({"WEIGHBRIDGE_REDIS_CA_FILE": "/dev/null"}, "rediss://"),
        ({"WEIGHBRIDGE_REDIS_CA_FILE": "/dev/null", "WEIGHBRIDGE_REDIS_URL": "redis://queue"}, "rediss://"),
        ({"WEIGHBRIDGE_REDIS_KEY_FILE": "/dev/null", "WEIGHBRIDGE_REDIS_URL": ADDRESS}, "need each other"),
        ({"WEIGHBRIDGE_REDIS_PASSWORD_FILE": "/nowhere", "WEIGHBRIDGE_REDIS_URL": ADDRESS}, "REDIS_PASSWORD_FILE"),
    ],
)
def test_half_of_what_is_needed_is_refused(environment: dict[str, str], told: str) -> None:
    """Whoever asks for TLS or a password gets it, or is told; never plain text instead."""
    with pytest.raises(InvalidSettingError, match=told) as error:
        Settings.from_environment(environment)
    assert "hunter2" not in error.value.message


def test_password_comes_from_a_file_and_goes_on_to_children(tmp_path: Path) -> None:
    """A child process connects as its parent does."""
    (tmp_path / "password").write_text("a/b c\n", encoding="utf-8")
    settings = Settings.from_environment(
        {"WEIGHBRIDGE_REDIS_URL": ADDRESS, "WEIGHBRIDGE_REDIS_PASSWORD_FILE": str(tmp_path / "password")}
    )
    child = Settings.from_environment(settings.environment(str(settings.url)))
    assert child.url == settings.url
    assert understood(str(child.url))["password"] == "a/b c"
    assert "a/b c" not in repr(settings)
