"""The columns of the matrix: GPUs of one type, and how many."""

from collections.abc import Mapping

from pydantic import JsonValue

from schemas.recommendation import ErrorAnswer, Recommendation
from sizing.catalog.generations import load_generations
from sizing.catalog.gpus import Gpu

from ..json_text import json_text
from ..known_gpus import known_gpu
from .columns import Codes

_Hardware = tuple[str, int, str]
"""Name of the GPU, how many, and what else was asked of it, as JSON; mostly nothing."""


_NOTHING_ELSE = ""


class GpuColumns:
    """Which column each cell stands in."""

    def __init__(self) -> None:
        self.codes: Codes[_Hardware] = Codes()
        self._memory_bytes: dict[_Hardware, int] = {}

    def add(self, request: Mapping[str, JsonValue], answer: Recommendation | ErrorAnswer) -> None:
        """Give the next cell the column of the hardware that was asked for, under the name the catalogue has for it."""
        hardware = request.get("hardware")
        asked = hardware if isinstance(hardware, Mapping) else {}
        count = asked.get("count")
        name, number = str(asked.get("gpu") or ""), count if isinstance(count, int) else 1
        if isinstance(answer, Recommendation):
            name, number = answer.deployment.gpu, answer.deployment.gpu_count
        elif (gpu := known_gpu(name)) is not None:
            name = gpu.name
        other: dict[str, JsonValue] = {
            key: value for key, value in asked.items() if key not in ("gpu", "count") and value is not None
        }
        column = (name, number, json_text(other) if other else _NOTHING_ELSE)
        self.codes.add(column)
        if isinstance(answer, Recommendation):
            self._memory_bytes.setdefault(column, answer.deployment.gpu_memory_bytes)

    def head(self) -> list[JsonValue]:
        """What the page tells of each column."""
        return [self._told(*column) for column in self.codes.values]

    def _told(self, name: str, count: int, other: str) -> dict[str, JsonValue]:
        gpu = known_gpu(name)
        memory_bytes = self._memory_bytes.get((name, count, other), gpu.memory_bytes if gpu else None)
        return {
            "gpu": name,
            "count": count,
            "other": other,
            "vendor": gpu.vendor if gpu else None,
            "generation": gpu.architecture if gpu else None,
            "age": _age(gpu),
            "memory_bytes": memory_bytes,
        }


def _age(gpu: Gpu | None) -> int:
    """Place of the GPU's generation among all, newest of each vendor first; those that nobody knows come last."""
    oldest_first = list(dict.fromkeys((each.vendor, each.architecture) for each in load_generations()))
    vendors = list(dict.fromkeys(vendor for vendor, _ in oldest_first))
    order = sorted(oldest_first, key=lambda each: (vendors.index(each[0]), -oldest_first.index(each)))
    return order.index((gpu.vendor, gpu.architecture)) if gpu else len(order)
