"""The columns of a flat table of results: name, type and meaning of each, and where a line has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from schemas.catalog_file import AS_PUBLISHED
from schemas.vocabulary import FindingLevel

from .json_text import json_text
from .known_gpus import known_gpu

Kind = Literal["string", "int64", "float64"]
Value = str | int | float | None

_LEVELS: Sequence[FindingLevel] = ("info", "advice", "warning", "error")


@dataclass(frozen=True, slots=True)
class Column:
    """One column; any but the first four may be empty."""

    name: str
    kind: Kind
    about: str
    read: Callable[[dict[str, Any]], Value]


def _at(*path: str) -> Callable[[dict[str, Any]], Value]:
    def read(line: dict[str, Any]) -> Value:
        value: Any = line
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value  # type: ignore[no-any-return]

    return read


def _answered(*path: str) -> Callable[[dict[str, Any]], Value]:
    return _at("answer", *path)


def _or_asked(answered: tuple[str, ...], asked: tuple[str, ...]) -> Callable[[dict[str, Any]], Value]:
    """What the answer says, or where it is an error what was asked."""
    read_answer, read_request = _at("answer", *answered), _at("request", *asked)

    def read(line: dict[str, Any]) -> Value:
        value = read_answer(line)
        return read_request(line) if value is None else value

    return read


def _attention(line: dict[str, Any]) -> Value:
    kinds = line["answer"].get("model", {}).get("attention")
    return None if kinds is None else "+".join(kinds)


_gpu = _or_asked(("deployment", "gpu"), ("hardware", "gpu"))


def _vendor(line: dict[str, Any]) -> Value:
    gpu = known_gpu(str(_gpu(line)))
    return None if gpu is None else gpu.vendor


def _architecture(line: dict[str, Any]) -> Value:
    gpu = known_gpu(str(_gpu(line)))
    return None if gpu is None else gpu.architecture


def _asked_format(line: dict[str, Any]) -> Value:
    return line["request"].get("weight_format") or AS_PUBLISHED


def _findings(line: dict[str, Any]) -> Value:
    return ";".join(finding["rule"] for finding in line["answer"].get("findings", []))


def _worst(line: dict[str, Any]) -> Value:
    levels = {finding["level"] for finding in line["answer"].get("findings", [])}
    return next((level for level in reversed(_LEVELS) if level in levels), None)


def _prefer(line: dict[str, Any]) -> Value:
    found = line["answer"].get("findings", [])
    return ";".join(dict.fromkeys(preferred for finding in found for preferred in finding["prefer"]))


def _verdict(line: dict[str, Any]) -> Value:
    verdict: str = line["answer"].get("verdict", "error")
    return verdict


def _request(line: dict[str, Any]) -> Value:
    return json_text(line["request"])


COLUMNS: Sequence[Column] = (
    Column("cell", "int64", "number of the cell in its batch, from 0", _at("cell")),
    Column("model", "string", "what the catalogue file calls the model", _at("model")),
    Column("verdict", "string", "fits, tight, does_not_fit, unsupported, or error", _verdict),
    Column("request", "string", "what was asked of the model, as JSON", _request),
    Column("asked_weight_format", "string", "weight format asked for, or as-published", _asked_format),
    Column("gpu", "string", "GPU type, by its name in the catalogue", _gpu),
    Column("gpu_count", "int64", "number of GPUs", _or_asked(("deployment", "gpu_count"), ("hardware", "count"))),
    Column("gpu_vendor", "string", "nvidia, amd, intel or apple", _vendor),
    Column("gpu_architecture", "string", "generation of the GPU", _architecture),
    Column(
        "gpu_memory_bytes",
        "int64",
        "memory of one GPU that a process sees",
        _answered("deployment", "gpu_memory_bytes"),
    ),
    Column("family", "string", "family that the model was read as", _answered("model", "family")),
    Column("num_parameters", "int64", "parameters of the model", _answered("model", "num_parameters")),
    Column(
        "num_active_parameters",
        "int64",
        "parameters one token passes through",
        _answered("model", "num_active_parameters"),
    ),
    Column("attention", "string", "kinds of attention among the layers, joined by +", _attention),
    Column("weight_format", "string", "weight format that was weighed", _answered("model", "weight_format")),
    Column(
        "kv_cache_dtype",
        "string",
        "element type of the kv cache",
        _or_asked(("deployment", "kv_cache_dtype"), ("kv_cache_dtype",)),
    ),
    Column("engine", "string", "inference engine", _or_asked(("deployment", "engine"), ("engine", "name"))),
    Column(
        "engine_version", "string", "its release", _or_asked(("deployment", "engine_version"), ("engine", "version"))
    ),
    Column(
        "max_model_len",
        "int64",
        "tokens of the longest sequence",
        _or_asked(("deployment", "max_model_len"), ("workload", "max_model_len")),
    ),
    Column(
        "concurrent_sequences",
        "int64",
        "sequences that must fit together",
        _or_asked(("deployment", "concurrent_sequences"), ("workload", "concurrent_sequences")),
    ),
    Column(
        "tensor_parallel_size",
        "int64",
        "ranks each layer is split over",
        _answered("deployment", "tensor_parallel_size"),
    ),
    Column("pipeline_parallel_size", "int64", "pipeline stages", _answered("deployment", "pipeline_parallel_size")),
    Column(
        "data_parallel_size", "int64", "replicas, or groups of attention", _answered("deployment", "data_parallel_size")
    ),
    Column("total_bytes", "int64", "needed on the worst rank", _answered("per_gpu", "total_bytes")),
    Column("usable_bytes", "int64", "what the engine may plan with on one GPU", _answered("per_gpu", "usable_bytes")),
    Column("weights_bytes", "int64", "of total_bytes", _answered("per_gpu", "weights_bytes")),
    Column("kv_cache_bytes", "int64", "of total_bytes", _answered("per_gpu", "kv_cache_bytes")),
    Column("activation_bytes", "int64", "of total_bytes", _answered("per_gpu", "activation_bytes")),
    Column("overhead_bytes", "int64", "of total_bytes", _answered("per_gpu", "overhead_bytes")),
    Column(
        "headroom_bytes",
        "int64",
        "usable_bytes less total_bytes; negative where it does not fit",
        _answered("per_gpu", "headroom_bytes"),
    ),
    Column("low_bytes", "int64", "low end of what is needed", _answered("range", "low_bytes")),
    Column("high_bytes", "int64", "high end of what is needed", _answered("range", "high_bytes")),
    Column(
        "outside_needed_bytes",
        "int64",
        "needed outside the engine's budget",
        _answered("outside_budget", "needed_bytes"),
    ),
    Column("outside_room_bytes", "int64", "room for that", _answered("outside_budget", "room_bytes")),
    Column("fewest_gpus", "int64", "fewest GPUs of the type that start it", _answered("fewest_gpus")),
    Column(
        "kv_cache_bytes_per_token",
        "int64",
        "one token in all layers of one replica",
        _answered("kv_cache", "bytes_per_token"),
    ),
    Column("pool_tokens", "int64", "tokens that the kv cache pool holds", _answered("kv_cache", "pool_tokens")),
    Column(
        "max_concurrency",
        "float64",
        "sequences of max_model_len that the pool holds",
        _answered("kv_cache", "max_concurrency"),
    ),
    Column(
        "longest_max_model_len",
        "int64",
        "longest sequence that the pool holds",
        _answered("kv_cache", "longest_max_model_len"),
    ),
    Column(
        "rule_of_thumb_bytes",
        "int64",
        "parameters x bytes x factor, for one GPU",
        _answered("rule_of_thumb", "per_gpu_bytes"),
    ),
    Column("weights_support", "string", "native, emulated or unsupported", _answered("support", "weights", "level")),
    Column("kv_cache_support", "string", "likewise", _answered("support", "kv_cache", "level")),
    Column("engine_support", "string", "likewise", _answered("support", "engine", "level")),
    Column(
        "weights_evidence",
        "string",
        "header, config, analytic, calibrated or assumed",
        _answered("evidence", "weights"),
    ),
    Column("kv_cache_evidence", "string", "likewise", _answered("evidence", "kv_cache")),
    Column("activation_evidence", "string", "likewise", _answered("evidence", "activation")),
    Column("overhead_evidence", "string", "likewise", _answered("evidence", "overhead")),
    Column("usable_evidence", "string", "likewise", _answered("evidence", "usable")),
    Column("findings", "string", "ids of the rules that fired, joined by ;", _findings),
    Column("worst_level", "string", "loudest of their levels: error, warning, advice or info", _worst),
    Column("prefer", "string", "what they would rather see, joined by ;", _prefer),
    Column("error_code", "string", "code of the error", _answered("error", "code")),
    Column("error_message", "string", "what is wrong", _answered("error", "message")),
    Column("error_field", "string", "field at fault", _answered("error", "field")),
    Column("error_hint", "string", "what to change", _answered("error", "hint")),
    Column(
        "weighbridge_version", "string", "version of the software that answered", _answered("versions", "weighbridge")
    ),
    Column("rules_version", "string", "digest of its rules", _answered("versions", "rules")),
    Column("catalog_version", "string", "digest of its catalogue", _answered("versions", "catalog")),
)
