"""The settings every shape of the contract shares."""

from pydantic import BaseModel, ConfigDict


class Closed(BaseModel):  # noqa: PLW1641 - pydantic gives frozen shapes their hash
    """A frozen shape that refuses fields it does not name and numbers that are not finite."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        ser_json_inf_nan="constants",
    )

    def __eq__(self, other: object) -> bool:
        """Whether both say the same: a shape has nothing but its fields, and those of requests are compared often."""
        return type(self) is type(other) and vars(self) == vars(other)
