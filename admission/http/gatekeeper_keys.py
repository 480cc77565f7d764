"""The keys that Gatekeeper asks by: a sizing request in one line, so that its cache works for us."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.errors import InvalidRequestError

MAX_CHARACTERS = 1024

_Fields = tuple[tuple[str, ...], Callable[[str], Any]]

FIELDS: Mapping[str, _Fields] = {
    "model": (("model", "name"), str),
    "repo": (("model", "repo"), str),
    "weights": (("weight_format",), str),
    "kv": (("kv_cache_dtype",), str),
    "len": (("workload", "max_model_len"), int),
    "seqs": (("workload", "concurrent_sequences"), int),
    "tp": (("parallelism", "tensor_parallel_size"), int),
    "pp": (("parallelism", "pipeline_parallel_size"), int),
    "dp": (("parallelism", "data_parallel_size"), int),
    "engine": (("engine", "name"), str),
    "util": (("engine", "gpu_memory_utilization"), float),
    "gpu": (("hardware", "gpu"), str),
    "count": (("hardware", "count"), int),
}
"""Field of a request, and how its value is read, by the name in a key."""


def parse_key(key: str) -> dict[str, Any]:
    """The sizing request that ``key`` spells, such as ``model=Qwen/Qwen3-8B;tp=2;len=8192;gpu=H100 SXM5 80GB``.

    Raises: InvalidRequestError.
    """
    if len(key) > MAX_CHARACTERS:
        raise _wrong(f"the key has {len(key)} characters, more than {MAX_CHARACTERS}")
    request: dict[str, Any] = {}
    seen: set[str] = set()
    for part in filter(None, map(str.strip, key.split(";"))):
        name, equals, text = (each.strip() for each in part.partition("="))
        if not equals or name not in FIELDS:
            raise _wrong(f"{part!r:.60} is no part of a key")
        if name in seen:
            raise _wrong(f"{name} is said twice")
        seen.add(name)
        place, read = FIELDS[name]
        _put(request, place, _value(name, text, read))
    if "gpu" not in seen:
        raise _wrong("the key names no gpu")
    return request


def _value(name: str, text: str, read: Callable[[str], Any]) -> Any:  # noqa: ANN401 - of the kind that its field has
    try:
        return read(text)
    except ValueError:
        raise _wrong(f"{name}: {text!r:.60} is no number") from None


def _put(request: dict[str, Any], place: tuple[str, ...], value: object) -> None:
    *above, last = place
    for name in above:
        request = request.setdefault(name, {})
    request[last] = value


def _wrong(why: str) -> InvalidRequestError:
    return InvalidRequestError(why, field="keys", hint=f"write name=value;name=value with {', '.join(FIELDS)}")
