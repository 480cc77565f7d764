"""Measured deployments: reading them, asking for them as requests, and setting what was measured beside the answer."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from schemas.errors import WeighbridgeError
from schemas.parse import parse_request
from sizing import engine
from sizing.catalog.activation import ComputeBuffer
from sizing.catalog.catalog import load_catalog
from sizing.catalog.gpus import GIB, MIB, visible_bytes
from sizing.catalog.models import catalog_model
from sizing.deployment import Deployment
from sizing.detailed import Stage, stages_of
from sizing.estimate import Estimate
from sizing.estimate_request import estimate
from sizing.model import Model

DATA = Path(__file__).parent / "data"
MEASURED = DATA / "measured.jsonl"

Record = dict[str, Any]
FigureName = Literal[
    "weights, 16-bit",
    "weights, quantized",
    "kv bytes per token or sequence",
    "kv pool",
    "kv concurrency",
    "activation",
    "non-torch",
    "cuda graphs",
    "compute buffer",
    "total beside kv cache",
]
FIGURES: tuple[FigureName, ...] = get_args(FigureName)
RELATIVE: frozenset[FigureName] = frozenset(FIGURES[:5]) | {"total beside kv cache", "compute buffer"}
"""Figures whose error is told in percent; the small terms' error is told in GiB."""

ENGINES = {"vllm": "vllm", "sglang": "sglang", "llama.cpp": "llama.cpp", "ollama (llama.cpp runner)": "llama.cpp"}
KV_CACHE_DTYPES = {
    "auto": "auto",
    "bf16": "bf16",
    "f16": "fp16",
    "fp16": "fp16",
    "fp8": "fp8",
    "fp8_e4m3": "fp8",
    "q8_0": "q8_0",
    "q4_0": "q4_0",
}
LAST_WITH_ALL_LOGITS = "9100"
"""Build of llama.cpp asked for where a log names none: all were written before builds printed n_outputs_max."""
STAND_IN_GPU, STAND_IN_MAC = "H100 SXM5 80GB", "Apple M2 Ultra 192GB"
"""Asked for where the record names no GPU, or no Mac, and only figures that none changes are compared."""
METAL = "Apple Metal"
"""What records call the GPU of a Mac they do not name."""


class NotAskable(Exception):  # noqa: N818 - an outcome, not a fault
    """A record cannot be asked as a request; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure of one record, as measured and as estimated."""

    record: str
    model: str
    source: str
    engine: str
    figure: FigureName
    measured: float
    estimated: float
    is_left_out: bool
    """Whether the model was kept out of the fit of the coefficients."""

    @property
    def error(self) -> float:
        """Signed: a fraction of what was measured, or GiB where the figure is told in GiB."""
        difference = self.estimated - self.measured
        return difference / self.measured if self.figure in RELATIVE else difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Whether one record started, and what was said of it."""

    record: str
    model: str
    source: str
    engine: str
    started: bool
    verdict: str
    is_left_out: bool


def read_records(path: Path) -> list[Record]:
    """The records of a file of one JSON object a line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def is_left_out(model: str) -> bool:
    """Whether ``model`` is kept out of fits: a fourth of all models, by the digest of the name, so that nobody picks.

    >>> is_left_out("Qwen/Qwen2.5-7B-Instruct")
    False
    """
    return sha256(model.encode()).digest()[0] % 4 == 0


@cache
def _gpu_names() -> dict[str, str | None]:
    names: dict[str, str | None] = yaml.safe_load((DATA / "gpu_names.yaml").read_text(encoding="utf-8"))
    return names


@cache
def _builds() -> dict[str, dict[str, Any]]:
    builds: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "builds.yaml").read_text(encoding="utf-8"))
    return builds


def _build_of(record: Record) -> dict[str, Any]:
    """What the log of ``record`` says of the llama.cpp it ran on."""
    return _builds().get(record["id"], {})


def gpu_of(record: Record) -> str | None:
    """The catalogue's name of the record's GPU: as named, or the one whose memory is nearest to what was printed."""
    written = (record["gpu"] or "").partition(" (")[0]
    printed = record["gpu_mem_gib_reported"]
    if written in _gpu_names():
        return _gpu_names()[written]
    if written:
        return written
    if printed is None:
        return None
    gpus = [gpu for gpu in load_catalog().gpus.gpus if not gpu.shares_its_budget]
    return min(gpus, key=lambda gpu: abs(gpu.memory_bytes - printed * GIB)).name


def driver_bytes(visible: int) -> int:
    """The least memory a driver may report for a process to see ``visible`` bytes of it."""
    low, high = visible, 2 * visible + GIB
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if visible_bytes(middle) >= visible else (middle + 1, high)
    return low


def request_of(record: Record) -> dict[str, Any]:
    """The sizing request that ``record`` answers.

    Raises: NotAskable.
    """
    if not any(record["scoreable"].values()):
        raise NotAskable("nothing in it is clean enough to compare")
    if record["engine"] not in ENGINES:
        raise NotAskable(f"engine {record['engine']} is not one that can be named")
    kv_cache_dtype = (record["kv_cache_dtype"] or "auto").partition(" (")[0]
    if kv_cache_dtype not in KV_CACHE_DTYPES:
        raise NotAskable(f"kv cache type {kv_cache_dtype} is not one that can be named")
    gpu, printed = gpu_of(record), record["gpu_mem_gib_reported"]
    ranks, stages = _split(record)
    stand_in = STAND_IN_MAC if record["gpu"] == METAL else STAND_IN_GPU
    hardware: dict[str, Any] = {"gpu": gpu or stand_in, "count": ranks * stages}
    if gpu and printed:
        hardware["memory_bytes"] = driver_bytes(int(printed * GIB))
    context = record["max_model_len"]
    if context is None:
        context = catalog_model(record["catalog_model"]).max_position_embeddings
    sequences = _sequences_apart(record)
    return {
        "model": {"name": record["catalog_model"]},
        "weight_format": _weight_format(record),
        "kv_cache_dtype": KV_CACHE_DTYPES[kv_cache_dtype],
        "engine": _engine(record),
        "workload": {"max_model_len": context // sequences, "concurrent_sequences": sequences},
        "parallelism": {"tensor_parallel_size": ranks, "pipeline_parallel_size": stages},
        "hardware": hardware,
    }


def _split(record: Record) -> tuple[int, int]:
    """Ranks of a stage, and stages: llama.cpp gives each device some of the layers."""
    if ENGINES[record["engine"]] == "llama.cpp":
        return 1, record["gpu_count"] or 1
    return record["tp"] or record["gpu_count"] or 1, record["pp"] or 1


def _sequences_apart(record: Record) -> int:
    """Sequences that each have cells of their own, where llama.cpp's n_ctx is what they have together."""
    cells = re.search(r"\( *(\d+) cells", record["note"] or "")
    sequences: int = record["max_num_seqs"] or 1
    return sequences if cells and int(cells[1]) * sequences == record["max_model_len"] else 1


def _weight_format(record: Record) -> str | None:
    """As the record says; a record of the kv cache alone does not need one."""
    asked: str | None = record["weight_format"]
    if asked is None and (record["scoreable"]["weights"] or record["scoreable"]["outcome"]):
        raise NotAskable("the log leaves the weight format open")
    return asked


def _engine(record: Record) -> dict[str, Any]:
    release = re.match(r"\d+\.\d+\.\d+", record["engine_version"] or "")
    version = release[0] if release else None
    batched, flash_attention = record["max_num_batched_tokens"], None
    if ENGINES[record["engine"]] == "llama.cpp":
        ubatch = re.search(r"n_ubatch (\d+)", record["note"] or "")
        batched = int(ubatch[1]) if ubatch else None
        version = _build_of(record).get("build", LAST_WITH_ALL_LOGITS)
        flash_attention = "flash_attn 0" not in (record["note"] or "")
    utilization = record["gpu_memory_utilization"]
    static = re.search(r"mem[_-]fraction[_-]static (\d\.\d+)", record["note"] or "")
    return {
        "name": ENGINES[record["engine"]],
        "version": version,
        "gpu_memory_utilization": float(static[1]) if static and utilization is None else utilization,
        "max_num_seqs": record["max_num_seqs"],
        "max_num_batched_tokens": batched if batched and batched > 0 else None,
        "enforce_eager": bool(record["enforce_eager"]),
        "flash_attention": flash_attention,
    }


def ask(record: Record) -> Estimate:
    """The estimate of the record's request.

    Raises: NotAskable.
    """
    try:
        return estimate(parse_request(request_of(record)), load_catalog())
    except WeighbridgeError as error:
        raise NotAskable(str(error)) from error


def compare(record: Record, found: Estimate) -> Iterator[Comparison]:
    """Every figure that ``record`` prints and that ``found`` can be held against."""
    for figure, measured, estimated in _figures(record, found):
        if measured is not None and measured > 0:
            yield Comparison(
                record=record["id"],
                model=record["model"],
                source=record["source"],
                engine=ENGINES[record["engine"]],
                figure=figure,
                measured=measured,
                estimated=estimated,
                is_left_out=is_left_out(record["catalog_model"]),
            )


def outcome(record: Record, found: Estimate) -> Outcome | None:
    """Whether it started and what ``found`` says; None where the record does not tell, or names no memory."""
    started = record["measured"]["oom"]
    if not record["scoreable"]["outcome"] or started is None or not _knows_memory(record):
        return None
    return Outcome(
        record=record["id"],
        model=record["model"],
        source=record["source"],
        engine=ENGINES[record["engine"]],
        started=not started,
        verdict=found.verdict,
        is_left_out=is_left_out(record["catalog_model"]),
    )


def _knows_memory(record: Record) -> bool:
    return gpu_of(record) is not None


def _figures(record: Record, found: Estimate) -> Iterable[tuple[FigureName, float | None, float]]:
    measured, scoreable = record["measured"], record["scoreable"]
    deployment, cache = found.deployment, found.kv_cache
    settings, sizes, model = deployment.engine, deployment.split, deployment.model
    if model is None or cache is None:
        return
    # Logs print the first rank, which computes logits only where it is the last stage too.
    first = stages_of(_as_built(record, deployment), model)[0]
    weights, peak = _weights(deployment, model, first), first.peak.expected
    if scoreable["weights"]:
        yield (
            "weights, quantized" if deployment.weight_format.is_quantized else "weights, 16-bit",
            measured["weights_gib_per_gpu"],
            weights / GIB,
        )
    if scoreable["kv"]:
        yield from _kv_size(record, found)
    if all(scoreable.values()) and _knows_memory(record) and settings.name in ("vllm", "sglang"):
        yield "kv pool", measured["kv_cache_gib_per_gpu"], cache.pool_bytes_per_gpu / GIB
        yield "kv concurrency", measured["max_concurrency_x"], cache.max_concurrency
    if settings.name == "llama.cpp":
        buffer = measured["compute_buffer_mib"] if _is_on_gpu(record) else None
        yield "compute buffer", buffer and buffer * MIB / GIB, peak / GIB
        return
    if settings.name == "vllm" and _knows_memory(record):
        activation, outside = measured["activation_peak_gib"], measured["non_torch_gib"]
        predicted = engine.non_torch(settings, sizes).expected
        yield "activation", activation, peak / GIB
        yield "non-torch", outside, predicted / GIB
        yield "cuda graphs", measured["cuda_graph_gib"], engine.cuda_graphs(settings, model, sizes).expected / GIB
        if scoreable["weights"] and activation and outside and measured["weights_gib_per_gpu"]:
            yield (
                "total beside kv cache",
                measured["weights_gib_per_gpu"] + activation + outside,
                (weights + peak + predicted) / GIB,
            )


def _as_built(record: Record, deployment: Deployment) -> Deployment:
    """``deployment`` with as many copies of the inputs as llama.cpp was built for."""
    settings = deployment.engine
    rows, copies = settings.profile.activation, _build_of(record).get("input_copies")
    if copies is None or not isinstance(rows, ComputeBuffer):
        return deployment
    rows = replace(rows, input_copies=replace(rows.input_copies, value=copies))
    return deployment._replace(engine=settings._replace(profile=replace(settings.profile, activation=rows)))


def _is_on_gpu(record: Record) -> bool:
    """Whether all layers are: where some are not, the buffer holds weights that are passed through it."""
    layers = re.search(r"offloaded (\d+)/(\d+)", record["note"] or "")
    return layers is None or layers[1] == layers[2]


def _weights(deployment: Deployment, model: Model, first: Stage) -> int:
    """Bytes of weights on the first rank, and the tables of rotary embeddings that an engine logs with them.

    llama.cpp has towers in a file of their own, and logs them elsewhere.
    """
    apart = ("vision", "audio") if deployment.engine.name == "llama.cpp" else ()
    tables = engine.rotary_tables(deployment.engine, model, deployment.storage.plain.bits).expected
    return sum(size for part, size in first.parts.items() if part not in apart) + tables


def _kv_size(record: Record, found: Estimate) -> Iterator[tuple[FigureName, float | None, float]]:
    """Bytes of a token where every token costs the same, else of one sequence of ``max_model_len``."""
    name: FigureName = "kv bytes per token or sequence"
    measured, cache = record["measured"], found.kv_cache
    if cache is None:
        return
    if found.deployment.engine.name == "llama.cpp":
        taken = measured["kv_self_mib"]
        yield name, taken and taken * MIB, _cells_bytes(found)
        return
    gib, tokens = measured["kv_cache_gib_per_gpu"], measured["kv_cache_tokens"]
    sequences = measured["max_concurrency_x"]
    if gib is None or gib <= 0:
        return
    length = found.deployment.max_model_len
    if cache.bytes_per_sequence_per_gpu < cache.bytes_per_token_per_gpu * length or _is_hybrid(found):
        if sequences:
            yield name, gib * GIB / sequences, cache.bytes_per_sequence_per_gpu
        return
    if tokens is None and measured["gpu_blocks"]:
        tokens = measured["gpu_blocks"] * (measured["block_size"] or 16)
    if tokens is None and sequences:
        tokens = sequences * length
    if tokens:
        yield name, gib * GIB / tokens, cache.bytes_per_token_per_gpu


def _cells_bytes(found: Estimate) -> int:
    """Bytes of the cells of all sequences on all devices; llama.cpp prints states apart from them."""
    deployment = found.deployment
    if deployment.model is None:
        return 0
    bits = sum(
        share.tokens_held(deployment.max_model_len) * share.bits_per_token
        for stage in stages_of(deployment, deployment.model)
        for share in stage.cache.shares
    )
    return deployment.concurrent_sequences * bits // 8


def _is_hybrid(found: Estimate) -> bool:
    return found.deployment.model is not None and len(found.deployment.model.attention_kinds) > 1
