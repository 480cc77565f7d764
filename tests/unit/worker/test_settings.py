"""What the environment may say, and what is told when it says something else."""

from pathlib import Path

import pytest

from checkpoints.sources import NO_SOURCES, Sources
from schemas.errors import InvalidSettingError
from worker.connection import masked
from worker.settings import Settings


def test_defaults_need_no_environment() -> None:
    """Nothing has to be set."""
    settings = Settings.from_environment({})
    assert settings.url is None
    assert settings.visibility_timeout_seconds == 90
    assert settings.key_prefix == "weighbridge:"
    assert settings.concurrency >= 1
    assert settings.sources == NO_SOURCES


def test_values_are_read_from_their_variables() -> None:
    """Each field is the variable of its name."""
    settings = Settings.from_environment(
        {
            "WEIGHBRIDGE_REDIS_URL": "redis://:secret@queue:6379/3",
            "WEIGHBRIDGE_CONCURRENCY": "7",
            "WEIGHBRIDGE_QUEUES": "sizing, admission",
            "WEIGHBRIDGE_LOG_LEVEL": "INFO",
            "WEIGHBRIDGE_MODEL_ROOT": "/models",
            "WEIGHBRIDGE_HUB": "on",
            "WEIGHBRIDGE_PREFETCH": "",
        }
    )
    assert settings.sources == Sources(model_root=Path("/models"), hub="on")
    assert settings.url == "redis://:secret@queue:6379/3"
    assert (settings.concurrency, settings.queues, settings.log_level) == (7, ("sizing", "admission"), "INFO")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WEIGHBRIDGE_REDIS_URL", "http://:hunter2@queue"),
        ("WEIGHBRIDGE_REDIS_URL", "redis://"),
        ("WEIGHBRIDGE_REDIS_URL", "redis://:hunter2/x@queue"),
        ("WEIGHBRIDGE_REDIS_URL", "redis://:hunter2#@queue"),
        ("WEIGHBRIDGE_LOG_FORMAT", "xml"),
        ("WEIGHBRIDGE_METRICS_PORT", "65536"),
        ("WEIGHBRIDGE_METRICS_HOST", "http://host"),
        ("WEIGHBRIDGE_HUB", "https://hunter2@hub"),
        ("WEIGHBRIDGE_CONCURRENCY", "0"),
        ("WEIGHBRIDGE_CONCURRENCY", "many"),
        ("WEIGHBRIDGE_QUEUES", "sizing,unheard-of"),
        ("WEIGHBRIDGE_QUEUES", ","),
        ("WEIGHBRIDGE_LOG_LEVEL", "LOUD"),
        ("WEIGHBRIDGE_EMBEDDED_SERVER", "/bin/true"),
        ("WEIGHBRIDGE_RESULT_TTL_SECONDS", "-1"),
        ("WEIGHBRIDGE_WORKER_NAME", "a b"),
        ("WEIGHBRIDGE_KEY_PREFIX", "with space"),
        ("WEIGHBRIDGE_REDIS_URL_FILE", "/does/not/exist"),
    ],
)
def test_bad_value_names_its_variable_and_shows_no_secret(variable: str, value: str) -> None:
    """A value that cannot be used is told by its variable, never with a password in it."""
    with pytest.raises(InvalidSettingError) as told:
        Settings.from_environment({variable: value})
    assert told.value.field == variable
    assert variable in told.value.message
    assert "hunter2" not in told.value.message


@pytest.mark.parametrize(
    "environment",
    [
        {"WEIGHBRIDGE_VISIBILITY_TIMEOUT_SECONDS": "80"},
        {"WEIGHBRIDGE_PREFETCH": "5"},
        {"WEIGHBRIDGE_HARD_TIME_LIMIT_SECONDS": "60"},
        {"WEIGHBRIDGE_SOFT_SHUTDOWN_SECONDS": "10"},
        {"WEIGHBRIDGE_SOFT_TIME_LIMIT_SECONDS": "20"},
    ],
)
def test_limits_that_contradict_each_other_are_refused(environment: dict[str, str]) -> None:
    """A message must not be given to a second worker while the first may still rightly hold it."""
    with pytest.raises(InvalidSettingError, match="WEIGHBRIDGE_"):
        Settings.from_environment(environment)


def test_address_may_come_from_a_secret_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file holds the address where the environment is no place for a password."""
    file = tmp_path_factory.mktemp("secret") / "url"
    file.write_text("redis://:secret@queue:6379/0\n", encoding="utf-8")
    assert Settings.from_environment({"WEIGHBRIDGE_REDIS_URL_FILE": str(file)}).url == "redis://:secret@queue:6379/0"


def test_empty_secret_file_is_refused(tmp_path: Path) -> None:
    """A secret that is not there yet must not start a server of our own in its place."""
    (tmp_path / "url").write_text("\n")
    with pytest.raises(InvalidSettingError, match="REDIS_URL_FILE"):
        Settings.from_environment({"WEIGHBRIDGE_REDIS_URL_FILE": str(tmp_path / "url")})


def test_password_is_never_shown() -> None:
    """Neither the settings nor a shown address reveal the password."""
    settings = Settings.from_environment({"WEIGHBRIDGE_REDIS_URL": "rediss://user:secret@queue:6380/1?x=secret"})
    assert "secret" not in repr(settings)
    assert "secret" not in str(settings)
    assert masked(str(settings.url)) == "rediss://user:**@queue:6380/1"
    assert masked("redis://127.0.0.1:6379/0") == "redis://127.0.0.1:6379/0"


def test_child_process_gets_the_same_settings() -> None:
    """Settings written as variables read back the same."""
    settings = Settings.from_environment(
        {"WEIGHBRIDGE_QUEUES": "admission", "WEIGHBRIDGE_CONCURRENCY": "3", "WEIGHBRIDGE_MODEL_ROOT": "/models"}
    )
    url = "redis://127.0.0.1:1/0"
    again = Settings.from_environment(settings.environment(url))
    assert again.url == url
    assert again.model_dump(exclude={"redis_url"}) == settings.model_dump(exclude={"redis_url"})


def test_the_sites_rules_are_in_a_folder_that_is_there(tmp_path: Path) -> None:
    """A path to nothing is refused at once; a child process gets the folder whatever folder it starts in."""
    with pytest.raises(InvalidSettingError, match="nowhere is not a folder"):
        Settings.from_environment({"WEIGHBRIDGE_RULES_PATH": str(tmp_path / "nowhere")})
    settings = Settings.from_environment({"WEIGHBRIDGE_RULES_PATH": str(tmp_path)})
    assert settings.environment("redis://127.0.0.1:1/0")["WEIGHBRIDGE_RULES_PATH"] == str(tmp_path)
    assert "WEIGHBRIDGE_RULES_PATH" not in Settings.from_environment({}).environment("redis://127.0.0.1:1/0")
