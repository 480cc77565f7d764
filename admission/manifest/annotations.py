"""What annotations say in place of what would be read: ``weighbridge.dev/…``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.vocabulary import KV_CACHE_DTYPES, WEIGHT_FORMATS

from .errors import UnreadableError
from .quantity import positive
from .shapes import spelt

PREFIX = "weighbridge.dev/"
BYPASS = f"{PREFIX}bypass"

_WORDS = ("model", "engine", "engine-version", "gpu", "mig")
_LISTED = {"weight-format": WEIGHT_FORMATS, "kv-cache-dtype": KV_CACHE_DTYPES}
_WHOLE = {
    "gpu-count": "hardware.count",
    "max-model-len": "workload.max_model_len",
    "concurrent-sequences": "workload.concurrent_sequences",
    "max-num-seqs": "engine.max_num_seqs",
    "tensor-parallel-size": "parallelism.tensor_parallel_size",
    "pipeline-parallel-size": "parallelism.pipeline_parallel_size",
    "data-parallel-size": "parallelism.data_parallel_size",
}
"""Fields of a request that a whole number sets."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """What annotations say of one container."""

    words: Mapping[str, str] = field(default_factory=dict)
    """``model``, ``engine``, ``engine-version``, ``gpu``, ``mig``, ``weight-format`` and ``kv-cache-dtype``."""
    numbers: Mapping[str, int | float] = field(default_factory=dict)
    """By field of a request."""


def said_of(container: str, annotations: Mapping[str, Any]) -> Said:
    """What ``annotations`` say of the container called ``container``.

    ``weighbridge.dev/model.vllm`` is for the container ``vllm``, ``weighbridge.dev/model`` for all.

    Raises: UnreadableError.
    """
    words: dict[str, str] = {}
    for name in (*_WORDS, *_LISTED):
        value = _value(name, container, annotations)
        if value is not None:
            if value not in _LISTED.get(name, (value,)):
                raise _wrong(name, value)
            words[name] = value
    numbers: dict[str, int | float] = {}
    for name, where in _WHOLE.items():
        value = _value(name, container, annotations)
        if value is not None:
            if (number := positive(value)) is None:
                raise _wrong(name, value)
            numbers[where] = number
    if (value := _value("gpu-memory-utilization", container, annotations)) is not None:
        numbers["engine.gpu_memory_utilization"] = _fraction(value)
    return Said(words=words, numbers=numbers)


def reason_to_bypass(annotations: Mapping[str, Any]) -> str | None:
    """The reason given for letting an object in whatever is found; None where none is given.

    Raises: UnreadableError.
    """
    value = spelt(annotations.get(BYPASS), f"metadata.annotations[{BYPASS}]")
    return value.strip() or None if value else None


def _value(name: str, container: str, annotations: Mapping[str, Any]) -> str | None:
    for key in (f"{PREFIX}{name}.{container}", f"{PREFIX}{name}"):
        value = spelt(annotations.get(key), f"metadata.annotations[{key}]")
        if value is not None:
            return value.strip()
    return None


def _fraction(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1:
        raise _wrong("gpu-memory-utilization", value)
    return number


def _wrong(name: str, value: str) -> UnreadableError:
    place = f"metadata.annotations[{PREFIX}{name}]"
    return UnreadableError(f"{PREFIX}{name} cannot be {value!r:.60}", reason="ArgumentUnreadable", field=place)
