"""llama.cpp's compute buffer, against what llama.cpp printed."""

from dataclasses import replace

import pytest

from schemas.errors import InvalidRequestError
from schemas.vocabulary import EngineName
from sizing.catalog.activation import ComputeBuffer
from sizing.catalog.sourced import IntegerRow
from sizing.detailed import stages_of
from tests.unit.sizing.weighing import weigh

MIB = 2**20
LARGE_ENOUGH = {"gpu": "H100 SXM5 80GB", "memory_bytes": 2**40}
LLAMA_8B, LLAMA_70B = "meta-llama/Llama-3.1-8B-Instruct", "meta-llama/Llama-3.1-70B-Instruct"
GPT_OSS_20B, GPT_OSS_120B = "openai/gpt-oss-20b", "openai/gpt-oss-120b"
ALL_LOGITS, HALF_MASKS, FEW_LOGITS = "9100", "9411", "10451"
"""Builds: the first takes logits of all tokens and casts masks, the second only takes the logits, the last neither."""


def buffers(
    name: str, cells: int, ubatch: int, devices: int = 1, copies: int | None = None, **engine: object
) -> list[float]:
    """MiB of the compute buffer of each device, of a build for so many ``copies`` of the inputs."""
    found = weigh(
        name,
        {**LARGE_ENOUGH, "count": devices},
        weight_format="fp16",
        workload={"max_model_len": cells},
        engine={"name": "llama.cpp", "max_num_batched_tokens": ubatch, **engine},
    )
    deployment = found.deployment
    profile, rows = deployment.engine.profile, deployment.engine.profile.activation
    assert deployment.model is not None
    assert isinstance(rows, ComputeBuffer)
    if copies:
        profile = replace(profile, activation=replace(rows, input_copies=IntegerRow(value=copies, source="the log")))
    built = deployment._replace(engine=deployment.engine._replace(profile=profile))
    return [stage.peak.expected / MIB for stage in stages_of(built, deployment.model)]


@pytest.mark.parametrize(
    ("name", "cells", "ubatch", "mib", "tolerance"),
    [
        # Logs of builds 7780, 8054 and 8680, and of one between them; flash attention, all layers on one device.
        ("Qwen/Qwen2.5-3B-Instruct", 4096, 512, 300.75, 0.0001),
        (GPT_OSS_20B, 8192, 512, 398, 0.002),
        (GPT_OSS_20B, 8192, 2048, 1594, 0.001),
        ("google/gemma-4-E4B-it", 65536, 512, 517.5, 0.002),
        ("google/gemma-4-E2B-it", 32768, 1024, 1031, 0.002),
        # Here the allocator left a hole of 78 MiB before the logits.
        ("Qwen/Qwen2.5-Coder-7B-Instruct", 32768, 512, 382.01, 0.21),
    ],
)
def test_logits_of_a_micro_batch(name: str, cells: int, ubatch: int, mib: float, tolerance: float) -> None:
    """Logits of every token and the states they come from: nothing else is left by then, however long the cache."""
    assert buffers(name, cells, ubatch, version=ALL_LOGITS) == [pytest.approx(mib, rel=tolerance)]


@pytest.mark.parametrize(
    ("name", "mib", "tolerance"),
    # Reserved by llama.cpp f49e91787, which casts masks, on one device of its RPC backend, for the model's shapes; it
    # reserves the 300.75, 382.01, 398.38 and 1593.50 MiB of the logs above there too.
    [
        (LLAMA_8B, 416.01, 0.0001),
        ("Qwen/Qwen2.5-Coder-7B-Instruct", 412.01, 0.0001),
        # Queries are wider than the hidden states.
        (GPT_OSS_20B, 413.52, 0.02),
    ],
)
def test_long_masks_are_held_twice_while_they_are_cast(name: str, mib: float, tolerance: float) -> None:
    """Masks of 131,072 cells and 512 tokens take 256 MiB as given and 128 as read, which is more than the logits."""
    assert buffers(name, 131072, 512, version=ALL_LOGITS) == [pytest.approx(mib, rel=tolerance)]


@pytest.mark.parametrize(
    ("cells", "ubatch", "copies", "mib"),
    # gpt-oss-120b on ten devices, build 9100: first, second and, in one case, last device; sched
    # copies = 12 where it was built with more than the usual 4.  Source: sergey-automation/gpt-oss-120b-p104-pascal,
    # reports/20260514_225855, reports/TurboPrefill_P104_10x/20260601_205641 and 20260601_171748.
    [
        (65536, 1024, 4, {0: 1409.14, 1: 740.64}),
        (66304, 512, 12, {0: 1799.96, 1: 940.46, 9: 1252.11}),
        (66304, 32, 12, {0: 111.72, 1: 58.4}),
    ],
)
def test_stages_hold_copies_of_their_inputs(cells: int, ubatch: int, copies: int, mib: dict[int, float]) -> None:
    """Masks in float32 and a float16 of them on the first device, in float16 alone on the others; states on all."""
    found = buffers(GPT_OSS_120B, cells, ubatch, devices=10, copies=copies, version=ALL_LOGITS)
    assert {device: found[device] for device in mib} == pytest.approx(mib, rel=0.015)


@pytest.mark.parametrize(
    ("name", "cells", "ubatch", "mib", "tolerance"),
    # Reserved by llama.cpp 0c1e57098, n_outputs_max 1, on one device of its RPC backend, for the model's shapes.
    [
        (LLAMA_8B, 4096, 512, 112.01, 0.0002),
        (LLAMA_8B, 131072, 512, 236.01, 0.0002),
        (LLAMA_70B, 4096, 512, 220.01, 0.0002),
        ("Qwen/Qwen3-30B-A3B", 4096, 512, 88.01, 0.0002),
        ("Qwen/Qwen3-235B-A22B", 4096, 512, 172.01, 0.0002),
        # Queries are wider than the hidden states.
        (GPT_OSS_20B, 8192, 512, 95.52, 0.03),
        (GPT_OSS_20B, 65536, 2048, 612.07, 0.03),
        ("Qwen/Qwen3.5-27B", 32768, 512, 154.02, 0.07),
        # Two states of each sequence, of 3 MiB each, are most of a small batch.
        ("Qwen/Qwen3.5-27B", 32768, 32, 12.74, 0.02),
    ],
)
def test_without_logits_layers_are_the_widest(name: str, cells: int, ubatch: int, mib: float, tolerance: float) -> None:
    """The mask in float16, gate, up and their product, or the outputs of a token's experts, and states beside them."""
    assert buffers(name, cells, ubatch, version=FEW_LOGITS, max_num_seqs=1) == [pytest.approx(mib, rel=tolerance)]


@pytest.mark.parametrize(
    ("name", "cells", "version", "mib", "tolerance"),
    [
        # ollama on V100 and on two slices of an H100, flash_attn = 0; then llama.cpp 0c1e57098 as above.
        (LLAMA_8B, 8192, ALL_LOGITS, [672.02], 0.17),
        (LLAMA_70B, 4096, ALL_LOGITS, [688.02, 688.03], 0.03),
        (LLAMA_8B, 4096, FEW_LOGITS, [300.01], 0.02),
        (LLAMA_8B, 32768, FEW_LOGITS, [2148.01], 0.002),
        (GPT_OSS_20B, 8192, FEW_LOGITS, [1072.76], 0.01),
    ],
)
def test_scores_are_kept_without_flash_attention(
    name: str, cells: int, version: str, mib: list[float], tolerance: float
) -> None:
    """Scores of a micro-batch against all cells, for every head, in float32."""
    found = buffers(name, cells, 512, devices=len(mib), version=version, flash_attention=False)
    assert found == [pytest.approx(size, rel=tolerance) for size in mib]


@pytest.mark.parametrize(
    ("version", "mib"),
    # Reserved by llama.cpp 0c1e57098 on two devices: sched copies = 4; the second is given one more hidden state there.
    [(HALF_MASKS, [156.04, 338.55 - 32]), (FEW_LOGITS, [156.04, 188.04 - 32])],
)
def test_later_builds_hold_masks_once(version: str, mib: list[float]) -> None:
    """Llama-3.1-8B on two devices: masks of 4 MiB and states of 8, four times, beside what layer or logits take."""
    assert buffers(LLAMA_8B, 4096, 512, devices=2, version=version) == [pytest.approx(size, abs=0.1) for size in mib]


def test_releases_keep_their_default() -> None:
    """Flash attention is off before build 6325 and on from there, unless a request says otherwise."""
    by_default = [buffers(LLAMA_8B, 8192, 512, version=version) for version in ("6324", "6325")]
    asked = [
        buffers(LLAMA_8B, 8192, 512, version=version, flash_attention=switch)
        for version, switch in (("6324", True), ("6325", False))
    ]
    assert by_default == asked[::-1]
    assert by_default[0] > by_default[1]


@pytest.mark.parametrize("name", ["vllm", "sglang", "tensorrt-llm", "transformers"])
@pytest.mark.parametrize("switch", [True, False])
def test_engines_without_the_switch_refuse_it(name: EngineName, *, switch: bool) -> None:
    """An engine that cannot be told is not told in silence."""
    with pytest.raises(InvalidRequestError) as caught:
        weigh(LLAMA_8B, LARGE_ENOUGH, engine={"name": name, "flash_attention": switch})
    assert caught.value.field == "engine.flash_attention"


@pytest.mark.parametrize("engine", [{"version": "6000"}, {"flash_attention": False}])
def test_scores_need_a_cache_in_sixteen_bit(engine: dict[str, object]) -> None:
    """llama.cpp ends with "quantized V cache was requested, but this requires Flash Attention"."""
    asked = {"name": "llama.cpp", **engine}
    assert weigh(LLAMA_8B, LARGE_ENOUGH, engine=asked, kv_cache_dtype="fp16").verdict == "fits"
    with pytest.raises(InvalidRequestError) as caught:
        weigh(LLAMA_8B, LARGE_ENOUGH, engine=asked, kv_cache_dtype="q8_0")
    assert caught.value.field == "kv_cache_dtype"


@pytest.mark.parametrize(("asked", "ranks", "stages"), [({}, 1, 4), ({"tensor_parallel_size": 4}, 4, 1)])
def test_gpus_get_whole_layers(asked: dict[str, int], ranks: int, stages: int) -> None:
    """llama.cpp splits by layers unless told otherwise, and so does a request for it that names no sizes."""
    found = weigh(LLAMA_70B, {**LARGE_ENOUGH, "count": 4}, engine={"name": "llama.cpp"}, parallelism=asked)
    assert found.deployment.split.tensor_parallel_size == ranks
    assert found.deployment.split.pipeline_parallel_size == stages
