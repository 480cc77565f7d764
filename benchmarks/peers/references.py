"""The right answers, each measured, published or derived from a published config, with its source."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sizing.catalog.models import load_models

REFERENCES = Path(__file__).parent.parent / "data" / "peer_references.csv"
GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What is right for one rank, or the whole replica when it has one rank."""

    model: str
    quantization_config: dict[str, Any] | None
    """How a quantized checkpoint of the model is stored; None is as the catalogue has it."""
    tensor_parallel_size: int
    pipeline_parallel_size: int
    is_timed: bool
    weights_bytes: float | None
    weights_source: str
    kv_bytes_per_token: float
    kv_source: str

    @property
    def label(self) -> str:
        """The model and how it is split."""
        split = f" TP{self.tensor_parallel_size}" if self.tensor_parallel_size > 1 else ""
        stages = f" PP{self.pipeline_parallel_size}" if self.pipeline_parallel_size > 1 else ""
        stored = f" {self.quantization_config['quant_method'].upper()}" if self.quantization_config else ""
        return self.model.partition("/")[2].removesuffix("-Instruct") + stored + split + stages

    def question(self) -> dict[str, Any]:
        """What every tool is asked."""
        config = load_models().find(self.model).config()
        if self.quantization_config:
            config["quantization_config"] = self.quantization_config
        return {
            "model": self.model,
            "config": config,
            "tensor_parallel_size": self.tensor_parallel_size,
            "pipeline_parallel_size": self.pipeline_parallel_size,
            "timed": self.is_timed,
        }


def read_references() -> list[Reference]:
    """The rows of ``peer_references.csv``."""
    with REFERENCES.open(encoding="utf-8", newline="") as file:
        return [
            Reference(
                model=row["model"],
                quantization_config=json.loads(row["quantization_config"]) if row["quantization_config"] else None,
                tensor_parallel_size=int(row["tensor_parallel_size"]),
                pipeline_parallel_size=int(row["pipeline_parallel_size"]),
                is_timed=row["timed"] == "yes",
                weights_bytes=float(row["weights_gib"]) * GIB if row["weights_gib"] else None,
                weights_source=f"{row['weights_basis']}: {row['weights_source']}" if row["weights_gib"] else "",
                kv_bytes_per_token=float(row["kv_bytes_per_token"]),
                kv_source=f"{row['kv_basis']}: {row['kv_source']}",
            )
            for row in csv.DictReader(file)
        ]
