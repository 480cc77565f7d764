"""Results files as a batch writes them, small ones."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rules.recommend import answer, encode, packaged

Line = dict[str, Any]

MODELS = ("Qwen/Qwen3-8B", "meta-llama/Llama-3.1-70B-Instruct", "openai/gpt-oss-20b", "Qwen/Qwen3-30B-A3B")
GPUS = ("RTX 3090", "L40S", "H100-SXM-80GB", "Tesla P40")
FORMATS = ("bf16", "fp8", "awq-int4")


def weighed(cell: int, model: str, request: Mapping[str, Any]) -> Line:
    """The line of one cell, answered in process."""
    answered = answer({"model": {"name": model}, **request}, by=packaged())
    return {"cell": cell, "model": model, "request": dict(request), "answer": json.loads(encode(answered))}


def a_request(gpu: str, weight_format: str, **others: Any) -> dict[str, Any]:  # noqa: ANN401 - any field of a request
    """A request as batches make them, without its model."""
    return {"weight_format": weight_format, "hardware": {"gpu": gpu}, "alternatives": 0, **others}


def plain_lines() -> list[Line]:
    """Four models on four GPUs in three formats."""
    asked = [(model, a_request(gpu, each)) for model in MODELS for gpu in GPUS for each in FORMATS]
    return [weighed(cell, model, request) for cell, (model, request) in enumerate(asked)]


def varied_lines() -> list[Line]:
    """Few models on few GPUs, asked in many ways: lengths, engines, counts, languages, methods, and errors."""
    others: list[dict[str, Any]] = [
        {},
        {"workload": {"max_model_len": 32768, "concurrent_sequences": 4}},
        {"kv_cache_dtype": "fp8", "locale": "zh"},
        {"engine": {"name": "sglang"}},
        {"engine": {"name": "llama.cpp"}, "alternatives": 2},
        {"hardware": {"gpu": "RTX 3090", "count": 2}, "alternatives": 3, "locale": "zh"},
        {"hardware": {"gpu": "RTX 3090", "count": 3}},
        {"hardware": {"gpu": "Nonesuch 9000"}},
    ]
    asked = [a_request("RTX 3090", each, **other) for each in ("bf16", "awq-int4") for other in others]
    published = {"hardware": {"gpu": "RTX 3090"}, "alternatives": 0}
    lines = [weighed(cell, "Qwen/Qwen3-8B", request) for cell, request in enumerate([*asked, published])]
    more = [
        ("nobody/nothing", a_request("RTX 3090", "bf16")),
        ("meta-llama/Llama-3.1-70B-Instruct", a_request("H100-SXM-80GB", "bf16", alternatives=4)),
        ("Qwen/Qwen3-8B", a_request("L40S", "bf16", method="rule-of-thumb")),
    ]
    return [*lines, *(weighed(len(lines) + place, *each) for place, each in enumerate(more))]


def write_results(path: Path, lines: Iterable[Line]) -> Path:
    """``path`` with ``lines`` in it."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path
