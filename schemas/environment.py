"""Settings that are read from environment variables, and what is told of one that cannot be used."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from .errors import InvalidSettingError


def _readable(path: Path) -> Path:
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} cannot be read")
    return path.absolute()


ReadableFile = Annotated[Path, AfterValidator(_readable)]
"""A file that there is and that may be read, wherever a process that is told of it works."""


class FromEnvironment(BaseModel):
    """A frozen shape of which each field is an environment variable: the prefix and its name in capitals."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        use_attribute_docstrings=True,  # shown by `weighbridge settings`
    )

    prefix: ClassVar[str] = "WEIGHBRIDGE_"

    @classmethod
    def variable(cls, name: str) -> str:
        """The variable of the field ``name``."""
        return cls.prefix + name.upper()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """The settings that ``environment`` spells; an empty variable is none.

        Raises: InvalidSettingError naming the variable.
        """
        variables = {name: cls.variable(name) for name in cls.model_fields}
        given = {name: environment[each] for name, each in variables.items() if environment.get(each, "") != ""}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise cls._told(error) from None

    @classmethod
    def _told(cls, error: ValidationError) -> InvalidSettingError:
        detail = error.errors(include_url=False, include_input=False)[0]
        message = detail["msg"].removeprefix("Value error, ")
        if not detail["loc"]:
            return InvalidSettingError(message)
        variable = cls.variable(str(detail["loc"][0]))
        return InvalidSettingError(f"{variable}: {message}", field=variable, hint=f"correct or unset {variable}")
