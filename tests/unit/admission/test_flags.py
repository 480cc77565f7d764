"""What is read of the arguments of engines."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from admission.manifest.engine_rows import EngineRows, find_rows, load_engines
from admission.manifest.environment import HIDDEN
from admission.manifest.errors import UnreadableError
from admission.manifest.flags import Settings, settings_of
from admission.manifest.starts import Start
from schemas.request import SizingRequest
from schemas.vocabulary import KV_CACHE_DTYPES, WEIGHT_FORMATS
from sizing.catalog.engines import find_engine

OURS = {"dtype", "quantization", "lora", "revision", "speculative", "elsewhere", "sharded", "model"}
"""Words of the rows that ``assemble`` and its neighbours make fields of."""


def settings(engine: str, *arguments: str, files: Sequence[str] = (), **environment: str) -> Settings:
    """What ``arguments`` of ``engine`` say."""
    rows = find_rows(engine)
    assert rows is not None
    start = Start(rows=rows, arguments=arguments, environment=environment, takes_model=rows.starts[0].takes_model)
    return settings_of(start, lambda _path: files)


@pytest.mark.parametrize(
    ("engine", "arguments", "values"),
    [
        ("vllm", ["--max-model-len", "8192"], {"workload.max_model_len": 8192}),
        ("vllm", ["--max_model_len=8k"], {"workload.max_model_len": 8000}),
        ("vllm", ["--max-model-len", "8K"], {"workload.max_model_len": 8192}),
        ("vllm", ["--max-model-len", "25.6k"], {"workload.max_model_len": 25600}),
        ("vllm", ["--max-model-len", "4096", "--max-model-len", "auto"], {}),
        (
            "vllm",
            ["-tp", "4", "-pp=2", "-dp", "2"],
            {
                "parallelism.tensor_parallel_size": 4,
                "parallelism.pipeline_parallel_size": 2,
                "parallelism.data_parallel_size": 2,
            },
        ),
        ("vllm", ["--tensor-parallel", "4"], {"parallelism.tensor_parallel_size": 4}),
        ("vllm", ["--enforce-eager", "--no-enforce-eager"], {"engine.enforce_eager": False}),
        ("vllm", ["--enforce-eager=true"], {"engine.enforce_eager": True}),
        ("vllm", ["--kv-cache-dtype", "fp8_e5m2"], {"kv_cache_dtype": "fp8"}),
        ("vllm", ["--kv-cache-dtype", "bfloat16"], {"kv_cache_dtype": "bf16"}),
        ("vllm", ["-q", "awq_marlin"], {"quantization": "published"}),
        ("vllm", ["--port", "8000", "--api-key", "k"], {}),
        ("sglang", ["--tp", "8", "--ep-size", "1"], {"parallelism.tensor_parallel_size": 8}),
        ("sglang", ["--ep", "8"], {"parallelism.enable_expert_parallel": True}),
        ("tensorrt-llm", ["--kv_cache_free_gpu_memory_fraction", "0.9"], {"engine.gpu_memory_utilization": 0.9}),
        ("tensorrt-llm", ["--max_seq", "4096"], {}),
        ("llama.cpp", ["-c", "0", "-np", "4"], {"engine.max_num_seqs": 4}),
        ("llama.cpp", ["-fa"], {"engine.flash_attention": True}),
        ("llama.cpp", ["-fa", "off"], {"engine.flash_attention": False}),
        ("llama.cpp", ["-ctk", "q4_0", "-ctv", "q8_0"], {"kv_cache_dtype": "q8_0"}),
        ("llama.cpp", ["-ctk", "q4_0"], {"kv_cache_dtype": "fp16"}),
        ("text-generation-inference", ["--sharded", "false"], {"sharded": False}),
    ],
)
def test_arguments_set_fields(engine: str, arguments: list[str], values: dict[str, Any]) -> None:
    """However an argument is spelt, it sets what the engine's documentation says."""
    assert settings(engine, *arguments).values == values


@pytest.mark.parametrize(
    ("engine", "arguments"),
    [
        ("vllm", ["--max-model-len", "-5"]),
        ("vllm", ["--max-model-len", "1e4"]),
        ("vllm", ["--tensor-parallel-size", "0"]),
        ("vllm", ["--tensor-parallel-size"]),
        ("vllm", ["--gpu-memory-utilization", "90"]),
        ("vllm", ["--kv-cache-dtype", "nvfp4"]),
        ("vllm", ["--speculative-config", "{"]),
        ("sglang", ["--context-length", "8k"]),
        ("llama.cpp", ["-ctk", "q5_0"]),
    ],
)
def test_what_the_engine_would_not_take_is_unreadable(engine: str, arguments: list[str]) -> None:
    """It is said which argument, and no default is put in its place."""
    with pytest.raises(UnreadableError) as error:
        settings(engine, *arguments)
    assert error.value.reason == "ArgumentUnreadable"
    assert error.value.field == arguments[0]


@pytest.mark.parametrize(
    ("arguments", "model"),
    [
        (["a/b"], "a/b"),
        (["--trust-remote-code", "a/b"], "a/b"),
        (["--port", "80", "a/b"], "a/b"),
        (["--enforce-eager", "a/b"], "a/b"),
        (["--model", "a/b"], "a/b"),
        (["--model=a/b", "--model", "c/d"], "c/d"),
        (["a/b", "--served-model-name", "c/d", "e/f"], "a/b"),
        (["--model", "a/b", "--served-model-name", "c/d", "e/f"], "a/b"),
        (["--served-model-name", "c/d", "a/b"], None),
        (["--served-model-name", "c/d"], None),
    ],
)
def test_model_is_named_with_or_without_a_flag(arguments: list[str], model: str | None) -> None:
    """It is never the value of another flag."""
    assert settings("vllm", *arguments).model == model


def test_words_after_a_flag_that_is_not_known_are_its_value() -> None:
    """A word that might be the value of a flag, or one of its values, is not taken for the model."""
    assert settings("vllm", "--some-flag", "a/b").model is None
    assert settings("vllm", "--some-flag=c", "a/b").model is None


def test_arguments_that_are_hidden_are_not_passed_over() -> None:
    """A secret after a flag may be its value; elsewhere it may be any argument."""
    assert settings("vllm", "a/b", "--api-key", HIDDEN).model == "a/b"
    for words in (["a/b", HIDDEN], ["a/b", "--api-key", "k", HIDDEN], ["a/b", "--enforce-eager", HIDDEN]):
        with pytest.raises(UnreadableError) as error:
            settings("vllm", *words)
        assert error.value.reason == "ReferenceNotAtHand"


def test_command_line_overrides_a_file_where_the_engine_says_so() -> None:
    """vLLM's arguments come after its file, TensorRT-LLM's before."""
    files = ["--max-model-len=1024", "--max-seq-len=1024"]
    assert settings("vllm", "--config", "f", "--max-model-len", "2048", files=files).values == {
        "workload.max_model_len": 2048
    }
    assert settings("tensorrt-llm", "--config=f", "--max_seq_len", "2048", files=files).values == {
        "workload.max_model_len": 1024
    }


def test_variables_count_where_no_argument_is_given() -> None:
    """An argument overrides the variable that says the same; types of keys and of values count together."""
    assert settings("llama.cpp", "-ctv", "q8_0", LLAMA_ARG_CACHE_TYPE_K="q4_0").values == {"kv_cache_dtype": "q8_0"}
    assert settings("llama.cpp", LLAMA_ARG_CACHE_TYPE_K="q4_0").values == {"kv_cache_dtype": "fp16"}
    assert settings("llama.cpp", LLAMA_ARG_CTX_SIZE="4096").values == {"workload.max_model_len": 4096}
    assert settings("llama.cpp", "-c", "8192", LLAMA_ARG_CTX_SIZE="4096").values == {"workload.max_model_len": 8192}


def test_what_is_not_weighed_is_said() -> None:
    """An argument that moves memory and is no field of a request leaves a sentence."""
    assert settings("vllm", "--cpu-offload-gb", "10").assumed == [
        "--cpu-offload-gb is not weighed: all weights are counted on the GPU"
    ]


@pytest.mark.parametrize(
    "rows", [rows for rows in load_engines() if rows.engine == rows.weighed_as], ids=lambda rows: rows.engine
)
def test_what_we_write_we_read(rows: EngineRows) -> None:
    """Each argument that the catalogue writes for the engine is read as setting the same."""
    for argument in find_engine(rows.weighed_as).arguments.rows:
        for flag in argument.flags:
            row = rows.by_spelling[flag.replace("_", "-")]
            assert row.argument == argument.name, flag
            assert {theirs: ours for ours, theirs in argument.values.items() if theirs}.items() <= {
                **rows.values_of(row)
            }.items(), flag


@pytest.mark.parametrize("rows", load_engines(), ids=lambda rows: rows.engine)
def test_rows_set_fields_of_a_request(rows: EngineRows) -> None:
    """Whatever a row sets is a field of the contract or a word of ours, and so are its values; variables name rows."""
    assert set(rows.variables.values()) <= set(rows.by_spelling) | rows.model_flags
    for row in rows.flags:
        name = rows.field_of(row)
        head, _, tail = name.partition(".")
        if row.reads == "unweighed":
            assert row.says
            assert not name
        elif head not in OURS:
            assert _has(SizingRequest, head, tail), name
        if name == "kv_cache_dtype":
            assert set(rows.values_of(row).values()) <= set(KV_CACHE_DTYPES)
        if name in ("quantization", "dtype"):
            assert set(row.values.values()) <= {*WEIGHT_FORMATS, "published", "auto"}


def _has(shape: type[BaseModel], head: str, tail: str) -> bool:
    field = shape.model_fields.get(head)
    if field is None or not tail:
        return field is not None
    shapes = [each for each in (field.annotation, *get_args(field.annotation)) if isinstance(each, type)]
    return any(issubclass(each, BaseModel) and tail in each.model_fields for each in shapes)
