"""The models of the catalogue; their configs are read when first asked for."""

import difflib
import json
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from schemas.errors import UnknownModelError

from ..families import read_model
from ..model import Model
from .rows import read_bytes, read_csv

_MISSPELT = 64
"""Names of no model whose likes are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogModel:
    """A row of ``models.csv``."""

    name: str
    file: str
    hf_quant_file: str
    """The checkpoint's ``hf_quant_config.json``, where that alone names its format; else empty."""
    nominal_num_parameters: int | None
    """The size the model is known by; None where the name's number is not the parameter count."""
    source: str

    def config(self) -> dict[str, Any]:
        """The model's config.json, with the format of its ``hf_quant_config.json`` if it has that alone."""
        fields: dict[str, Any] = json.loads(read_bytes(self.file))
        if self.hf_quant_file and "quantization_config" not in fields:
            quantization = json.loads(read_bytes(self.hf_quant_file))["quantization"]
            fields["quantization_config"] = {"quant_method": "modelopt", **quantization}
        return fields


class ModelCatalog:
    """Models by their published names."""

    def __init__(self, rows: tuple[CatalogModel, ...]) -> None:
        self.models = rows
        self._by_name = {row.name.lower(): row for row in rows}
        self._by_short_name: dict[str, list[CatalogModel]] = {}
        for row in rows:
            self._by_short_name.setdefault(row.name.rpartition("/")[2].lower(), []).append(row)
        # A request without hardware asks again for every GPU there is, and each time takes milliseconds.
        self._nearest = lru_cache(maxsize=_MISSPELT)(self._most_like)

    def find(self, name: str) -> CatalogModel:
        """The model called ``name``, in any case, with or without its organisation.

        Raises: UnknownModelError naming the nearest.
        """
        found = self._row(name)
        if found:
            return found
        raise UnknownModelError(
            f"model.name: no model of the catalogue is called {name!r}",
            field="model.name",
            hint=f"nearest names: {', '.join(self.nearest(name))}; or give model.config",
        )

    def has(self, name: str) -> bool:
        """Whether ``find`` finds the model called ``name``."""
        return self._row(name) is not None

    def _row(self, name: str) -> CatalogModel | None:
        short = self._by_short_name.get(name.lower(), [])
        return self._by_name.get(name.lower()) or (short[0] if len(short) == 1 else None)

    def nearest(self, name: str, limit: int = 3) -> list[str]:
        """The catalogue names most like ``name``."""
        return list(self._nearest(name.lower(), limit))

    def _most_like(self, name: str, limit: int) -> tuple[str, ...]:
        near = difflib.get_close_matches(name, self._by_name, n=limit, cutoff=0)
        return tuple(self._by_name[spelling].name for spelling in near)


@cache
def catalog_model(name: str) -> Model:
    """The catalogue model called ``name``, as published there, read once.

    Raises: UnknownModelError, UnsupportedArchitectureError, ModelUnreadableError.
    """
    return read_model(load_models().find(name).config())


@cache
def load_models() -> ModelCatalog:
    """The models of ``models.csv``."""
    return ModelCatalog(
        tuple(
            CatalogModel(
                name=row["name"],
                file=row["file"],
                hf_quant_file=row["hf_quant_file"],
                nominal_num_parameters=int(float(row["nominal_size_b"]) * 10**9) if row["nominal_size_b"] else None,
                source=row["source"],
            )
            for row in read_csv("models.csv")
        )
    )
