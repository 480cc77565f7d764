"""From what an engine is told to the sizing request that asks the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.errors import InvalidRequestError
from schemas.parse import parse_request
from schemas.vocabulary import WEIGHT_FORMATS
from sizing.catalog.gpus import load_gpus
from sizing.catalog.models import load_models
from sizing.model import Model
from sizing.resolve import DEFAULT_MAX_MODEL_LEN

from .annotations import Said
from .engine_rows import EngineRows
from .errors import UnreadableError
from .flags import Settings
from .gpu_types import GpuType
from .models import model_reference
from .resources import Asked
from .speculative import speculative
from .weight_formats import known_model, weight_format


@dataclass(frozen=True, kw_only=True)
class Told:
    """All that was read of one server."""

    rows: EngineRows
    settings: Settings
    said: Said
    asked: Asked
    """GPUs of the whole replica."""
    version: str | None = None
    """Release of the engine."""
    model_names: Sequence[str] = ()
    """What the object calls the model whose files it mounts."""
    adapts_length: bool = False
    """Whether the longest sequence is lowered to what fits."""


def request_for(told: Told, gpu: GpuType) -> tuple[dict[str, Any], list[str]]:
    """The sizing request of a server on ``gpu``, and what was taken for granted.

    Raises: UnreadableError.
    """
    assumed = list(told.settings.assumed)
    if told.rows.weighed_as_says:
        assumed.append(told.rows.weighed_as_says)
    values = {**told.settings.values, **told.said.numbers}
    reference, tagged = _model(told)
    model = known_model(reference)
    request: dict[str, Any] = {"model": reference}
    stored = told.said.words.get("weight-format") or tagged
    stored = stored or weight_format(values.get("quantization"), values.get("dtype"), model)
    if stored:
        request["weight_format"] = stored
    cached = told.said.words.get("kv-cache-dtype") or values.get("kv_cache_dtype")
    if cached:
        request["kv_cache_dtype"] = cached
    request["engine"] = _engine(told, values)
    request["workload"] = _workload(told, values, model, assumed)
    proposed = speculative(told.rows, values, assumed)
    if proposed:
        request["speculative"] = proposed
    request["hardware"] = _hardware(told, gpu, assumed)
    request["parallelism"] = _parallelism(told, values, request["hardware"], assumed)
    request = {name: value for name, value in request.items() if value}
    try:
        parse_request(request)
    except InvalidRequestError as error:
        hint = f"; {error.hint}" if error.hint else ""
        raise UnreadableError(f"{error.message}{hint}", reason="InvalidRequest", field=error.field) from None
    return request, assumed


def _model(told: Told) -> tuple[dict[str, Any], str | None]:
    """The model, and the format that the word which names it adds."""
    said = told.said.words.get("model")
    if said is not None and load_models().has(said):
        return {"name": said}, None
    word, tagged = said or told.settings.model, None
    if word and "/" in word:
        bare, _, tag = word.rpartition(":")
        if bare and f"gguf:{tag.lower()}" in WEIGHT_FORMATS:
            word, tagged = bare, f"gguf:{tag.lower()}"
    return model_reference(word, told.settings.values.get("revision"), told.model_names), tagged


def _part(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}


def _engine(told: Told, values: Mapping[str, Any]) -> dict[str, Any]:
    fields = _part(values, "engine")
    if not values.get("lora"):
        fields.pop("max_loras", None)
        fields.pop("max_lora_rank", None)
    elif told.rows.lora:
        fields.setdefault("max_loras", told.rows.lora.default_max_loras)
    version = told.said.words.get("engine-version") or told.version
    return {"name": told.rows.weighed_as, **({"version": version} if version else {}), **fields}


def _workload(told: Told, values: Mapping[str, Any], model: Model | None, assumed: list[str]) -> dict[str, Any]:
    fields = _part(values, "workload")
    if "max_model_len" not in fields:
        allowed = model.max_position_embeddings if model else None
        adapts = told.adapts_length or "workload.max_model_len" in told.settings.left_to_engine
        if told.rows.default_length == "model" and allowed and not adapts:
            fields["max_model_len"] = allowed
            assumed.append(f"no longest sequence is given: {allowed} tokens, all that the model's config allows")
        else:
            assumed.append(
                f"no longest sequence is given: {DEFAULT_MAX_MODEL_LEN} tokens are weighed, or what the model allows"
            )
    return fields


def _hardware(told: Told, gpu: GpuType, assumed: list[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {"gpu": gpu.name, "count": told.asked.count}
    mig = told.said.words.get("mig") or told.asked.mig or gpu.mig
    if mig:
        fields["mig"] = mig
    memory_bytes = told.asked.memory_bytes
    if memory_bytes is None and told.asked.percent is not None:
        memory_bytes = load_gpus().find(gpu.name).memory_bytes * told.asked.percent // 100
    if memory_bytes is not None:
        fields["memory_bytes"] = memory_bytes
    elif told.asked.is_shared or gpu.is_shared:
        assumed.append("its GPUs are shared without a limit: they are weighed as if nobody else used them")
    return fields


def _parallelism(told: Told, values: Mapping[str, Any], hardware: dict[str, Any], assumed: list[str]) -> dict[str, Any]:
    """The sizes, those that the engine would choose filled in; ``hardware`` grows by ranks that run in other pods."""
    fields = {name: value for name, value in _part(values, "parallelism").items() if value}
    count = hardware["count"]
    stages = fields.get("pipeline_parallel_size", 1)
    replicas = 1 if fields.get("enable_dp_attention") else fields.get("data_parallel_size", 1)
    if "tensor_parallel_size" not in fields:
        if told.rows.default_ranks == "stages":
            return fields
        every = told.rows.default_ranks == "all" and values.get("sharded") is not False
        fields["tensor_parallel_size"] = max(count // (stages * replicas), 1) if every else 1
    used = fields["tensor_parallel_size"] * stages * replicas
    if used > count and values.get("elsewhere"):
        hardware["count"] = used
        assumed.append(f"{used - count} of its {used} ranks run in pods of other objects, on the same type of GPU")
    elif used < count:
        assumed.append(f"{used} of {count} GPUs are used: that is what the parallel sizes multiply to")
    return fields
