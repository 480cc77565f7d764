"""The rows of the matrix: models under the names the batch gives them."""

from typing import get_args

from pydantic import JsonValue

from rules.message import DISPLAY_FORMS
from schemas.recommendation import ErrorAnswer, ModelSummary, Recommendation
from schemas.vocabulary import Locale

from .columns import Codes


class ModelRows:
    """Which row each cell stands in."""

    def __init__(self) -> None:
        self.codes: Codes[str] = Codes()
        self._read: dict[str, ModelSummary] = {}

    def add(self, label: str, answer: Recommendation | ErrorAnswer) -> None:
        """Give the next cell the row called ``label``."""
        self.codes.add(label)
        if isinstance(answer, Recommendation):
            self._read.setdefault(label, answer.model)

    def head(self) -> list[JsonValue]:
        """What the page tells of each row; a model that no answer has read has its label alone."""
        return [self._told(label, self._read.get(label)) for label in self.codes.values]

    def _told(self, label: str, model: ModelSummary | None) -> dict[str, JsonValue]:
        if model is None:
            return dict.fromkeys(("family", "num_parameters", "parameters", "active_parameters")) | {"label": label}
        is_sparse = model.num_active_parameters != model.num_parameters
        return {
            "label": label,
            "family": model.family,
            "num_parameters": model.num_parameters,
            "parameters": _in_each_language(model.num_parameters),
            "active_parameters": _in_each_language(model.num_active_parameters) if is_sparse else None,
        }


def _in_each_language(count: int | None) -> dict[str, JsonValue] | None:
    if count is None:
        return None
    locales: tuple[Locale, ...] = get_args(Locale)
    return {locale: DISPLAY_FORMS["billions"][1](count, locale) for locale in locales}
