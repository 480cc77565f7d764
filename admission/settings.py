"""What an operator may set of admission, read from the environment when asked and checked as a whole."""

from ipaddress import ip_address
from typing import Annotated, ClassVar, Self

import yaml
from pydantic import Field, TypeAdapter, ValidationError, model_validator

from schemas.decision import Mode
from schemas.environment import FromEnvironment, ReadableFile
from schemas.errors import InvalidSettingError
from schemas.request import Name

_FLAVORS = TypeAdapter(dict[str, Name])


class AdmissionSettings(FromEnvironment):
    """How decisions are made of what is found, and where the HTTP front door is.

    Each field is the environment variable ``WEIGHBRIDGE_ADMISSION_`` + its name in capitals.
    """

    prefix: ClassVar[str] = "WEIGHBRIDGE_ADMISSION_"

    mode: Mode = "warn"
    """What becomes of a deployment that does not fit, where the path asked names no mode."""
    fail_open: bool = True
    """Whether a deployment is let in that nobody could weigh in time, where the mode is enforce."""
    allow_unknown: bool = True
    """Whether a deployment is let in of which the model, or the GPU, is not known, where the mode is enforce."""
    deadline_seconds: Annotated[float, Field(ge=0.05, le=25)] = 0.8
    """When an answer is given by policy, whether or not the deployment is weighed by then."""
    gpu: Name | None = None
    """GPU type where an object names none; null leaves such an object unweighed."""
    flavors_file: ReadableFile | None = None
    """YAML file with the GPU type of each ResourceFlavor, by its name."""

    host: Annotated[str, Field(pattern=r"^[0-9A-Za-z.:_-]{1,255}$")] = "127.0.0.1"
    """Address that ``weighbridge serve`` listens at."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 8443
    """Port that it listens at."""
    tls_cert_file: ReadableFile | None = None
    """Certificate, with those that vouch for it, in PEM format; read again whenever it changes."""
    tls_key_file: ReadableFile | None = None
    """Its key."""
    plain_http: bool = False
    """Whether to serve without TLS where others than this machine can reach it."""
    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * 2**20)] = 8 * 2**20
    """Longest body that is read; a review holds an object twice, and the API server takes objects of 3 MiB."""
    max_waiting: Annotated[int, Field(ge=1, le=10_000)] = 64
    """Objects that may wait to be weighed; more are answered by policy at once."""

    @model_validator(mode="after")
    def _plain_text_stays_here(self) -> Self:
        if (self.tls_cert_file is None) != (self.tls_key_file is None):
            raise ValueError(
                "WEIGHBRIDGE_ADMISSION_TLS_CERT_FILE and WEIGHBRIDGE_ADMISSION_TLS_KEY_FILE need each other"
            )
        if self.tls_cert_file is None and not self.plain_http and not _is_loopback(self.host):
            raise ValueError(
                f"WEIGHBRIDGE_ADMISSION_HOST: {self.host} can be reached by others: set "
                "WEIGHBRIDGE_ADMISSION_TLS_CERT_FILE and WEIGHBRIDGE_ADMISSION_TLS_KEY_FILE, or allow it with "
                "WEIGHBRIDGE_ADMISSION_PLAIN_HTTP=true"
            )
        return self

    def flavors(self) -> dict[str, str]:
        """GPU type by the name of a ResourceFlavor.

        Raises: InvalidSettingError.
        """
        if self.flavors_file is None:
            return {}
        try:
            return _FLAVORS.validate_python(yaml.safe_load(self.flavors_file.read_text(encoding="utf-8")), strict=True)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError):
            variable = self.variable("flavors_file")
            raise InvalidSettingError(
                f"{variable}: {self.flavors_file} is no mapping of flavours to GPU types",
                field=variable,
                hint="write one line a flavour, such as h100: H100-SXM-80GB",
            ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
