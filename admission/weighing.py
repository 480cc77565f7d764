"""Weighing in this process."""

from collections.abc import Mapping
from typing import Any

from rules.recommend import answer, packaged
from schemas.recommendation import ErrorAnswer, Recommendation, Versions


def weigh_here(request: Mapping[str, Any]) -> Recommendation | ErrorAnswer:
    """The answer of the installed catalogue and rules to ``request``."""
    return answer(dict(request))


def installed_versions() -> Versions:
    """The versions of the installed catalogue and rules."""
    return packaged().versions
