"""The closed lists of names the contract uses, spelt as model configs and engines spell them."""

from typing import Literal, get_args

WeightFormat = Literal[
    "fp32",
    "fp16",
    "bf16",
    "fp8",
    "fp8-block",
    "int8",
    "int8-weight-only",
    "awq-int4",
    "gptq-int4",
    "nvfp4",
    "mxfp4",
    "mxfp8",
    "bnb-nf4",
    "bnb-int8",
    "gguf:q2_k",
    "gguf:q3_k_s",
    "gguf:q3_k_m",
    "gguf:q3_k_l",
    "gguf:q4_0",
    "gguf:q4_1",
    "gguf:q4_k_s",
    "gguf:q4_k_m",
    "gguf:q5_0",
    "gguf:q5_1",
    "gguf:q5_k_s",
    "gguf:q5_k_m",
    "gguf:q6_k",
    "gguf:q8_0",
    "gguf:iq2_xxs",
    "gguf:iq2_xs",
    "gguf:iq2_s",
    "gguf:iq2_m",
    "gguf:iq3_xxs",
    "gguf:iq3_xs",
    "gguf:iq3_s",
    "gguf:iq3_m",
    "gguf:iq4_xs",
    "gguf:iq4_nl",
    "gguf:f16",
    "gguf:bf16",
]
"""Weight formats a request may ask for."""

KvCacheDtype = Literal["auto", "bf16", "fp16", "fp8", "int8", "q8_0", "q4_0"]
"""Element types of the kv cache; ``auto`` follows the compute dtype."""

EngineName = Literal["vllm", "sglang", "tensorrt-llm", "llama.cpp", "transformers"]
"""Inference engines a request may name."""

Method = Literal["detailed", "rule-of-thumb"]
"""How the need is computed: term by term, or parameters x bytes x factor."""

Locale = Literal["en", "zh"]
"""Languages a finding's message is written in."""

Verdict = Literal["fits", "tight", "does_not_fit", "unsupported"]
"""What the scales say; ``tight`` means the expected need fits and the high end of its range does not."""

SupportLevel = Literal["native", "emulated", "unsupported"]
"""``emulated`` loads and saves memory but runs another path than the format is meant for."""

FindingLevel = Literal["info", "advice", "warning", "error"]
"""How loudly a finding speaks, quietest first."""

Evidence = Literal["header", "config", "analytic", "calibrated", "assumed"]
"""What a figure rests on, strongest first."""

ErrorCode = Literal[
    "invalid_request",
    "unknown_model",
    "unknown_gpu",
    "unsupported_architecture",
    "model_unreadable",
    "queue_full",
    "unavailable",
    "internal",
]
"""Stable codes of error answers."""

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
"""Best first."""
WEIGHT_FORMATS: tuple[WeightFormat, ...] = get_args(WeightFormat)
KV_CACHE_DTYPES: tuple[KvCacheDtype, ...] = get_args(KvCacheDtype)
ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)
