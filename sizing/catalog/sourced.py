"""Single figures, each with where it comes from."""

from dataclasses import dataclass

from .rows import CLOSED


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegerRow:
    """A number with its source."""

    __pydantic_config__ = CLOSED

    value: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FractionRow:
    """A fraction with its source."""

    __pydantic_config__ = CLOSED

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagRow:
    """Whether something is so, with its source."""

    __pydantic_config__ = CLOSED

    value: bool
    source: str
