"""Requests over the whole catalogue, the same in every run, and what is judged of them."""

from collections.abc import Iterator
from typing import Any

from rules.recommend import packaged
from rules.weigh import Judged
from schemas.errors import WeighbridgeError
from schemas.parse import parse_request
from schemas.vocabulary import KV_CACHE_DTYPES, WEIGHT_FORMATS
from sizing.catalog.catalog import load_catalog

from .strategies import seeded

Value = dict[str, Any]

SAMPLED = 1500

WORKLOADS: tuple[Value, ...] = (
    {},
    {},
    {"max_model_len": 2048, "concurrent_sequences": 16},
    {"max_model_len": 40_960},
    {"max_model_len": 131_072, "concurrent_sequences": 4},
    {"concurrent_sequences": 256},
)
PARALLELISM: tuple[Value, ...] = (
    {},
    {},
    {"pipeline_parallel_size": 2},
    {"pipeline_parallel_size": 4},
    {"tensor_parallel_size": 2},
    {"data_parallel_size": 2},
    {"enable_expert_parallel": True},
)
ENGINES: tuple[Value, ...] = (
    {},
    {},
    {},
    {"name": "vllm", "version": "0.27.1"},
    {"name": "sglang"},
    {"name": "tensorrt-llm"},
    {"name": "llama.cpp"},
    {"name": "transformers"},
)
COUNTS = (None, 1, 1, 2, 3, 4, 8, 16)

CORNERS: tuple[Value, ...] = (
    # What a sample of so many axes meets too rarely.
    {"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "RTX 4090"}, "engine": {"max_loras": 4}},
    {
        "model": {"name": "Qwen/Qwen3-8B"},
        "hardware": {"gpu": "H100 SXM5 80GB"},
        "speculative": {"num_speculative_tokens": 4, "draft_model": {"name": "Qwen/Qwen3-0.6B"}},
    },
    {"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "RTX 4090", "free_bytes": 22_000_000_000}},
    {
        "model": {"name": "Qwen/Qwen3-8B"},
        "hardware": {"gpu": "RTX 4090", "free_bytes": 12_000_000_000},
        "engine": {"gpu_memory_utilization": 0.9},
    },
    {
        "model": {"num_parameters": 8 * 10**9},
        "weight_format": "fp8",
        "hardware": {"gpu": "RTX 4090"},
        "workload": {"max_model_len": 65_536},
    },
    {"model": {"name": "Qwen/Qwen3-32B"}, "weight_format": "fp16"},
    {"model": {"name": "Qwen/Qwen3-235B-A22B"}, "weight_format": "bf16"},
    {"model": {"name": "Qwen/Qwen3-8B"}, "hardware": {"gpu": "H100 SXM5 80GB"}, "engine": {"version": "0.99"}},
    {"model": {"name": "openai/gpt-oss-20b"}, "hardware": {"gpu": "Tesla T4"}},
    {"model": {"name": "facebook/opt-125m"}, "hardware": {"gpu": "A100 SXM4 80GB", "count": 3}},
    # Between what the card shows with error correction on and with it off.
    *(
        {
            "model": {"name": "Qwen/Qwen3-14B"},
            "hardware": {"gpu": gpu},
            "workload": {"concurrent_sequences": 10},
        }
        for gpu in ("A40", "RTX A6000")
    ),
    *(
        {
            "model": {"name": "Qwen/Qwen3-8B"},
            "weight_format": name,
            "hardware": {"gpu": gpu},
            "engine": {"name": engine},
        }
        for name, gpu, engine in (
            ("fp8", "Instinct MI300X", "vllm"),
            ("awq-int4", "Instinct MI300X", "vllm"),
            ("nvfp4", "Instinct MI300X", "vllm"),
            ("fp8", "Instinct MI210", "vllm"),
            ("mxfp8", "H100 SXM5 80GB", "vllm"),
            ("int8", "RTX 5090", "vllm"),
            ("fp16", "Tesla T4", "vllm"),
            ("nvfp4", "RTX 5070", "vllm"),
            ("awq-int4", "B200 SXM 180GB", "tensorrt-llm"),
            ("fp8-block", "RTX 4090", "tensorrt-llm"),
            ("gguf:q4_k_m", "Tesla P100 PCIe 16GB", "llama.cpp"),
            ("awq-int4", "RTX 2080 Ti", "vllm"),
        )
    ),
)


def corpus() -> Iterator[Value]:
    """Sampled requests: models x GPUs x formats x cache types x engines x workloads x ways to split."""
    random = seeded(20)
    catalog = load_catalog()
    models = [model.name for model in catalog.models.models]
    gpus = [gpu.name for gpu in catalog.gpus.gpus]
    yield from CORNERS
    for _ in range(SAMPLED):
        yield {
            "model": {"name": random.choice(models)},
            "weight_format": random.choice((None, random.choice(WEIGHT_FORMATS))),
            "kv_cache_dtype": random.choice(("auto", "auto", random.choice(KV_CACHE_DTYPES))),
            "engine": random.choice(ENGINES),
            "workload": random.choice(WORKLOADS),
            "parallelism": random.choice(PARALLELISM),
            "hardware": {"gpu": random.choice(gpus), "count": random.choice(COUNTS)},
        }


def judged(value: Value) -> Judged | None:
    """What is found of the request ``value``, or None where it cannot be weighed."""
    try:
        return packaged().judge(parse_request(value))
    except WeighbridgeError:
        return None
