"""Valid requests with something wrong in them."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from random import Random
from typing import Any

from schemas.vocabulary import ENGINE_NAMES, KV_CACHE_DTYPES, WEIGHT_FORMATS
from sizing.catalog.gpus import load_gpus
from sizing.catalog.models import load_models

Path = tuple[str | int, ...]

NUMBERS = (
    *(0, -1, 1, 2, 3, 7, 48, 127, 1024, 65_536, 65_537, 10**6, 2**24, 2**31 - 1, 2**31, 2**53 + 1, 2**62, 2**63),
    *(10**18, 10**30, 10**39, -(10**9), -(10**30), 10**9999),
    *(0.5, -0.5, 1.0, 64.0, 5e-324, 1e18, 1e308, -1e308, float("inf"), float("nan")),
)
"""Numbers at the edges of what fields, words of memory and floats hold."""

TEXTS = (
    *("", "8", "x", "None", "true", "auto", "Infinity", "/etc/passwd", "../../etc/passwd", "https://127.0.0.1:9/x"),
    *("{0.__class__}", "{{7*7}}", "%s%n", "$(id)", "a\0b", "a\nb", "\ud800", "\u202e中文", "x" * 300, "x" * 20_000),
)
"""Texts that something might read as more than text, or cannot write."""


def hostile_values() -> tuple[object, ...]:
    """Values of every JSON type that hardly any field takes."""
    lists: tuple[object, ...] = ([], [0], [-1] * 4, ["x"], [None], [{}] * 50, [1] * 2000, ["full_attention"] * 600)
    objects: tuple[object, ...] = ({}, {"a": 1}, {"": {}}, {str(each): each for each in range(600)}, nested(20))
    return (*NUMBERS, *TEXTS, True, False, None, *lists, *objects, nested(40), nested(60))


def nested(depth: int) -> object:
    """Objects and lists within each other."""
    value: object = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


VALUES = hostile_values()


@cache
def _configs() -> tuple[str, ...]:
    """One published config for each architecture and way to quantize, as JSON."""
    found: dict[tuple[str, str], str] = {}
    for row in load_models().models:
        config = row.config()
        quantization = config.get("quantization_config") or {}
        kind = (str(config.get("architectures")), str(quantization.get("quant_method")))
        text = json.dumps(config)
        if len(text) < 50_000 and "Infinity" not in text:
            found.setdefault(kind, text)
    return tuple(found.values())


@cache
def _gpus() -> tuple[str, ...]:
    return tuple(gpu.name for gpu in load_gpus().gpus)


def valid_request(random: Random) -> dict[str, Any]:
    """A request that obeys the contract and names things that exist."""
    kind = random.randrange(10)
    model: dict[str, Any] = {"config": json.loads(random.choice(_configs()))}
    if kind == 0:
        model = {"num_parameters": random.randrange(1, 10**12)}
    elif kind < 4:
        model = {"name": random.choice(load_models().models).name}
    request: dict[str, Any] = {
        "request_id": f"fuzz-{random.randrange(10**6)}",
        "model": model,
        "weight_format": random.choice((None, None, *WEIGHT_FORMATS)),
        "kv_cache_dtype": random.choice(("auto", *KV_CACHE_DTYPES)),
        "engine": {"name": random.choice(ENGINE_NAMES), "max_num_seqs": random.choice((None, 1, 256))},
        "workload": {
            "max_model_len": random.choice((None, 1, 8192, 10**6)),
            "concurrent_sequences": random.choice((1, 64)),
        },
        "parallelism": {
            "tensor_parallel_size": random.choice((None, 1, 2, 8)),
            "pipeline_parallel_size": random.choice((1, 1, 2)),
            "enable_expert_parallel": random.random() < 0.2,
        },
        "speculative": random.choice((None, None, None, {"num_speculative_tokens": 2, "draft_model": None})),
        "hardware": {"gpu": random.choice(_gpus()), "count": random.choice((None, 1, 2, 4, 8, 16))},
        "candidate_gpus": random.choice((None, None, [random.choice(_gpus())])),
        "alternatives": random.choices((0, 1, 5), (20, 1, 1))[0],
        "locale": random.choice(("en", "zh")),
        "metadata": {"team": "a"},
    }
    for field in random.sample(sorted(request), random.randrange(8)):
        if field not in ("model", "hardware", "alternatives"):
            del request[field]
    if random.random() < 0.01:
        del request["hardware"]
    return request


def mutated_request(random: Random) -> object:
    """A valid request with one to three things wrong in it."""
    request: object = valid_request(random)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        request = _mutated(request, random)
    return request


def _mutated(value: object, random: Random) -> object:
    paths = list(_paths(value))
    within = [path for path in paths if path[:2] == ("model", "config")]
    # What a config says reaches the arithmetic; most of what else is wrong ends at the contract.
    path = random.choice(within if within and random.random() < 0.7 else paths)
    if not path:
        return copied(random.choice(VALUES))
    holder: Any = value
    for part in path[:-1]:
        holder = holder[part]
    last = path[-1]
    match random.randrange(8):
        case 0:
            del holder[last]
        case 1 if isinstance(holder, dict):
            holder[f"{last}x"] = holder.pop(last)
        case 2 if isinstance(holder, list):
            holder.extend(copied(holder[-1]) for _ in range(random.choice((1, 500))))
        case 3 if isinstance(holder[last], int):
            holder[last] = random.choice((holder[last] * 2, holder[last] * 1000, holder[last] - 1, -holder[last]))
        case 4 if isinstance(holder, dict):
            # What another field holds is often nearly right.
            holder[last] = copied(holder[random.choice(list(holder))])
        case _:
            holder[last] = copied(random.choice(VALUES))
    return value


def copied(value: object) -> object:
    """``value`` anew, so that what is changed in one place is changed there alone."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if isinstance(value, list) else value


def _paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Paths of all values; of a list, of its first items."""
    yield path
    items: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value[:8])
    for key, each in items:
        yield from _paths(each, (*path, key))


def arbitrary_json(random: Random, depth: int = 0) -> object:
    """Any JSON at all, keys of requests among its keys."""
    if depth > 4 or random.random() < 0.3:
        return copied(random.choice(VALUES))
    size = random.randrange(6)
    if random.random() < 0.3:
        return [arbitrary_json(random, depth + 1) for _ in range(size)]
    keys = ("model", "name", "config", "hardware", "gpu", "count", "engine", "workload", "metadata", "path", "x", "")
    return {random.choice(keys): arbitrary_json(random, depth + 1) for _ in range(size)}
