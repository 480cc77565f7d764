"""Settings of admission, and what is refused of them."""

from pathlib import Path

import pytest

from admission.settings import AdmissionSettings
from schemas.errors import InvalidSettingError


def read(**variables: str) -> AdmissionSettings:
    """The settings that ``variables`` spell."""
    return AdmissionSettings.from_environment(
        {f"WEIGHBRIDGE_ADMISSION_{name.upper()}": value for name, value in variables.items()}
    )


def test_without_any_it_warns_lets_in_and_stays_on_this_machine() -> None:
    """Whoever tries it refuses nothing and opens nothing."""
    settings = read()
    assert (settings.mode, settings.fail_open, settings.allow_unknown) == ("warn", True, True)
    assert (settings.host, settings.tls_cert_file, settings.plain_http) == ("127.0.0.1", None, False)
    assert settings.flavors() == {}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"mode": "strict"}, "WEIGHBRIDGE_ADMISSION_MODE"),
        ({"deadline_seconds": "0"}, "WEIGHBRIDGE_ADMISSION_DEADLINE_SECONDS"),
        ({"host": "0.0.0.0"}, "WEIGHBRIDGE_ADMISSION_PLAIN_HTTP"),  # noqa: S104 - what is refused
        ({"tls_cert_file": "/nowhere"}, "WEIGHBRIDGE_ADMISSION_TLS_CERT_FILE"),
        ({"tls_cert_file": __file__}, "need each other"),
    ],
)
def test_a_bad_one_is_named(variables: dict[str, str], told: str) -> None:
    """The error says which variable, or which two."""
    with pytest.raises(InvalidSettingError, match=told):
        read(**variables)


def test_plain_http_beyond_this_machine_is_there_for_who_asks() -> None:
    """Behind a proxy that speaks TLS it may be wanted."""
    assert read(host="0.0.0.0", plain_http="true").plain_http  # noqa: S104 - what is tested
    assert read(host="::1").host == "::1"
    assert read(host="localhost").host == "localhost"


def test_flavours_are_read_from_their_file(tmp_path: Path) -> None:
    """One line a flavour; anything else names the variable."""
    file = tmp_path / "flavors.yaml"
    file.write_text("h100: H100 SXM5 80GB\nsmall: T4\n")
    assert read(flavors_file=str(file)).flavors() == {"h100": "H100 SXM5 80GB", "small": "T4"}
    for wrong in ("- h100\n", "h100: 80\n", "{", "h100: ''\n"):
        file.write_text(wrong)
        with pytest.raises(InvalidSettingError, match="WEIGHBRIDGE_ADMISSION_FLAVORS_FILE"):
            read(flavors_file=str(file)).flavors()
