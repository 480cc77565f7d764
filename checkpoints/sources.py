"""Where models may be read from, as an operator sets it in the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import InvalidSettingError

PREFIX = "WEIGHBRIDGE_"


class Sources(BaseModel):
    """What a request may name beside the catalogue's models; nothing unless it is set.

    Each field is the environment variable ``WEIGHBRIDGE_`` + its name in capitals.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,  # shown by `weighbridge settings`
    )

    model_root: Path | None = None
    """Folder that ``model.path`` is below; null means that no path is read."""
    hub: Literal["off", "on"] = "off"
    """Whether ``model.repo`` is read from the hub; HF_ENDPOINT and HF_TOKEN say which and as whom."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that ``environment`` spells.

        Raises: InvalidSettingError naming the variable.
        """
        given = {
            name: environment[PREFIX + name.upper()]
            for name in cls.model_fields
            if environment.get(PREFIX + name.upper(), "") != ""
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise _told(error) from None


NO_SOURCES = Sources()
"""The catalogue alone."""


def _told(error: ValidationError) -> InvalidSettingError:
    detail = error.errors(include_url=False, include_input=False)[0]
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return InvalidSettingError(message)
    variable = PREFIX + str(detail["loc"][0]).upper()
    return InvalidSettingError(f"{variable}: {message}", field=variable, hint=f"correct or unset {variable}")
