"""All cells of a results file, gathered for the page."""

from array import array
from collections.abc import Iterable
from typing import get_args

from pydantic import JsonValue

from rules.rule import Rule
from schemas.vocabulary import Locale

from .answer_columns import AnswerColumns
from .axes import Axes
from .columns import narrowed
from .findings import FindingColumn
from .gpu_columns import GpuColumns
from .model_rows import ModelRows
from .result_line import ResultLine

_LOCALES: tuple[Locale, ...] = get_args(Locale)


class Table:
    """A matrix of models and GPUs, with a cell for each thing that was asked."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rows = ModelRows()
        self._columns = GpuColumns()
        self._axes = Axes()
        self._answers = AnswerColumns()
        self._findings = FindingColumn(rules)

    def add(self, line: ResultLine) -> None:
        """Take one more cell in."""
        locale = next((each for each in _LOCALES if each == line.request.get("locale")), _LOCALES[0])
        self._rows.add(line.model, line.answer)
        self._columns.add(line.request, line.answer)
        self._axes.add(line.request)
        self._answers.add(line.answer, locale)
        self._findings.add([] if line.answer.status == "error" else line.answer.findings, locale)

    def matrix(self) -> tuple[dict[str, JsonValue], dict[str, "array[int] | array[float]"]]:
        """What matrix and lists are drawn from: a head, and columns with a value for every cell."""
        varying, fixed = self._axes.varying, self._axes.fixed
        head: dict[str, JsonValue] = {
            "cells": len(self._rows.codes.cells),
            "rows": self._rows.head(),
            "columns": self._columns.head(),
            "axes": [{"path": path, "values": [*codes.values]} for path, codes in varying.items()],
            "fixed": {**fixed},
            "versions": self._answers.versions(),
            **self._answers.matrix_head(),
        }
        arrays: dict[str, array[int] | array[float]] = {
            "row": narrowed(self._rows.codes.cells),
            "column": narrowed(self._columns.codes.cells),
            **{f"axis:{path}": narrowed(codes.cells) for path, codes in varying.items()},
            **self._answers.matrix_arrays(),
        }
        return head, arrays

    def panel(self) -> tuple[dict[str, JsonValue], dict[str, "array[int] | array[float]"]]:
        """What only the panel on a cell shows, likewise."""
        head = {**self._answers.panel_head(), **self._findings.head()}
        return head, {**self._answers.panel_arrays(), **self._findings.arrays()}
