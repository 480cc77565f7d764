"""From a request to a deployment: every name looked up, every default filled in."""

from dataclasses import replace
from functools import lru_cache

from schemas.errors import InvalidRequestError, ModelUnreadableError
from schemas.request import Hardware, ModelByConfig, ModelByName, ModelBySize, Parallelism, SizingRequest, Speculative
from schemas.request import Model as ModelReference
from schemas.vocabulary import EngineName, Evidence, WeightFormat

from . import engine
from .catalog.catalog import Catalog
from .catalog.engines import find_engine
from .catalog.formats import FormatCatalog, KvDtype
from .catalog.gpus import Gpu, seen_bytes
from .catalog.mig import slice_bytes
from .catalog.models import catalog_model
from .checkpoint import NOTHING_READ, Checkpoint, Checkpoints, checkpoint_of
from .deployment import Deployment, Draft, Sizes
from .dp_attention import refuse_impossible_groups
from .families import read_model
from .model import NO_LAYER, Model
from .remembered import of_each_model
from .sharing import beside_others
from .storage import Storage, plain_format, storage_as_asked, storage_in_files

_REMEMBERED = 1024
"""Ways to split a model that are kept."""

DEFAULT_MAX_MODEL_LEN = 8192
"""Tokens assumed when a request does not say; engines would assume all that the config allows."""


def resolve(request: SizingRequest, catalog: Catalog, checkpoints: Checkpoints = NOTHING_READ) -> Deployment:
    """The deployment that ``request`` describes; ``checkpoints`` are the models it names by path or repository.

    Raises: InvalidRequestError, UnknownModelError, UnknownGpuError, UnsupportedArchitectureError,
    ModelUnreadableError.
    """
    if request.hardware is None:
        raise InvalidRequestError(
            "hardware: one GPU type is needed to weigh one deployment", field="hardware", hint="name a GPU"
        )
    name, model, nominal = _model(request.model, catalog, checkpoints)
    num_parameters = model.num_parameters if model else nominal
    gpu = catalog.gpus.find(request.hardware.gpu)
    gpu_memory_bytes, memory_evidence = _memory(request.hardware, gpu)
    sizes = _sizes(request.parallelism, request.hardware.count, request.engine.name)
    refuse_impossible_groups(request.engine.name, sizes)
    if request.hardware.mig and sizes.world_size > sizes.data_parallel_size:
        raise InvalidRequestError(
            "hardware.mig: a model cannot be split over MIG slices, which do not reach each other's memory",
            field="hardware.mig",
            hint="use slices as data parallel replicas, or whole GPUs",
        )
    storage = _storage(request.weight_format, model, catalog, checkpoint_of(request.model, checkpoints))
    max_model_len = request.workload.max_model_len or _default_max_model_len(model)
    deployment = Deployment(
        model_name=name,
        model=model,
        num_parameters=num_parameters,
        nominal_num_parameters=nominal,
        storage=storage,
        weight_format=storage.quantized,
        kv_cache_dtype=_kv_cache_dtype(request, storage, catalog),
        asked_kv_cache_dtype=request.kv_cache_dtype,
        draft=_draft(request.speculative, model, storage, catalog, checkpoints) if request.speculative else None,
        engine=beside_others(
            engine.settle(request.engine, gpu, gpu_memory_bytes, sizes, max_model_len),
            gpu_memory_bytes,
            request.hardware.free_bytes,
            may_adapt=request.engine.gpu_memory_utilization is None,
        ),
        gpu=gpu,
        gpu_count=request.hardware.count or sizes.world_size,
        gpu_memory_bytes=gpu_memory_bytes,
        free_bytes=gpu_memory_bytes if request.hardware.free_bytes is None else request.hardware.free_bytes,
        memory_evidence=memory_evidence,
        split=sizes,
        max_model_len=max_model_len,
        concurrent_sequences=request.workload.concurrent_sequences,
        method=request.method or ("detailed" if model else "rule-of-thumb"),
        rule_of_thumb_factor=request.rule_of_thumb_factor,
    )
    _refuse_quantized_cache_with_scores(deployment)
    return deployment


def _refuse_quantized_cache_with_scores(deployment: Deployment) -> None:
    """Raises: InvalidRequestError for what llama.cpp refuses: values of less than 16 bit without flash attention.

    Source: llama.cpp, llama_context: "quantized V cache was requested, but this requires Flash Attention".
    """
    if deployment.kv_cache_dtype.group > 1 and not deployment.engine.flash_attention:
        raise InvalidRequestError(
            f"kv_cache_dtype: {deployment.engine.name} has no {deployment.kv_cache_dtype.name} kv cache "
            "without flash attention",
            field="kv_cache_dtype",
            hint="keep it in fp16, or set engine.flash_attention",
        )


def _model(asked: ModelReference, catalog: Catalog, checkpoints: Checkpoints) -> tuple[str | None, Model | None, int]:
    """Name, model, and the size the model is known by."""
    match asked:
        case ModelByName(name=name):
            row = catalog.models.find(name)
            model = catalog_model(row.name)
            return row.name, model, row.nominal_num_parameters or model.num_parameters
        case ModelBySize(num_parameters=count):
            return None, None, count
        case ModelByConfig(config=config, quantization_config=quantization):
            fields = config if quantization is None else {**config, "quantization_config": quantization}
            model = read_model(fields)
            return None, model, model.num_parameters
    checkpoint = checkpoint_of(asked, checkpoints)
    if checkpoint is None:
        raise ModelUnreadableError("model: the files of this model were not read", field="model")
    return checkpoint.name, checkpoint.model, checkpoint.model.num_parameters


def _storage(
    name: WeightFormat | None, model: Model | None, catalog: Catalog, checkpoint: Checkpoint | None
) -> Storage:
    formats = catalog.formats
    if model is None:
        if name is None:
            raise InvalidRequestError(
                "weight_format: a bare num_parameters says nothing of its format",
                field="weight_format",
                hint="name the format, such as bf16",
            )
        asked = formats.weight_format(name)
        return Storage(quantized=asked, plain=formats.weight_format("bf16"), published=None)
    if checkpoint and name in (None, checkpoint.storage.quantized.name):
        return checkpoint.storage
    return _storage_of(model, name, formats)


@of_each_model
def _storage_of(model: Model, weight_format: WeightFormat | None, formats: FormatCatalog) -> Storage:
    published = model.published
    if weight_format is None or (published and weight_format == published.weight_format):
        return storage_in_files(model, formats)
    return storage_as_asked(model, formats.weight_format(weight_format), plain_format(model, formats))


def _draft(
    asked: Speculative, model: Model | None, storage: Storage, catalog: Catalog, checkpoints: Checkpoints
) -> Draft:
    """What proposes tokens: layers of the model itself, or another model as it is published.

    Raises: InvalidRequestError when there is nothing that could, or it speaks of other tokens.
    """
    if model is None:
        raise InvalidRequestError(
            "speculative: the rule of thumb knows no drafts", field="speculative", hint="leave it out, or name a model"
        )
    if asked.draft_model is None:
        if model.multi_token_prediction is NO_LAYER:
            raise InvalidRequestError(
                "speculative.draft_model: the model has no layers for multi-token prediction of its own",
                field="speculative.draft_model",
                hint="name a smaller model with the same vocabulary",
            )
        # Headers were matched with the model, not with what predicts further: that is stored as its config says.
        by_config = replace(storage, stored=None)
        return Draft(
            model=model.multi_token_model, storage=by_config, num_speculative_tokens=asked.num_speculative_tokens
        )
    _, draft, _ = _model(asked.draft_model, catalog, checkpoints)
    if draft is None:
        raise InvalidRequestError(
            "speculative.draft_model: a bare num_parameters has no kv cache to weigh",
            field="speculative.draft_model",
            hint="give its name or its config",
        )
    if draft.vocab_size != model.vocab_size:
        sizes = f"{draft.vocab_size} entries and the model's {model.vocab_size}"
        raise InvalidRequestError(
            f"speculative.draft_model: its vocabulary has {sizes}",
            field="speculative.draft_model",
            hint="name a draft with the same vocabulary; engines refuse others",
        )
    return Draft(
        model=draft,
        storage=_storage(None, draft, catalog, checkpoint_of(asked.draft_model, checkpoints)),
        num_speculative_tokens=asked.num_speculative_tokens,
    )


def _kv_cache_dtype(request: SizingRequest, storage: Storage, catalog: Catalog) -> KvDtype:
    """What ``auto`` stands for: the compute type, in which everything that is not quantized is kept."""
    if request.kv_cache_dtype != "auto":
        return catalog.formats.kv_dtype(request.kv_cache_dtype)
    is_container = storage.quantized.block is not None
    computed_in = storage.plain if storage.quantized.is_quantized or is_container else storage.quantized
    return catalog.formats.kv_dtype(computed_in.name)


def _memory(hardware: Hardware, gpu: Gpu) -> tuple[int, Evidence]:
    """Bytes of one GPU, or of one slice of it, as a process sees it, and what they rest on."""
    if hardware.memory_bytes:
        return seen_bytes(gpu.vendor, hardware.memory_bytes), "analytic"
    if hardware.mig:
        return slice_bytes(gpu, hardware.mig), "analytic"
    return gpu.memory_bytes, gpu.memory_evidence


@lru_cache(maxsize=_REMEMBERED)
def _sizes(asked: Parallelism, count: int | None, engine_name: EngineName) -> Sizes:
    others = asked.gpus_per_rank
    ranks, stages = asked.tensor_parallel_size, asked.pipeline_parallel_size
    if ranks is None:
        ranks = max((count or others) // others, 1)
        if find_engine(engine_name).gives_gpus_whole_layers.value:
            ranks, stages = 1, ranks * stages
    sizes = Sizes(
        tensor_parallel_size=ranks,
        pipeline_parallel_size=stages,
        data_parallel_size=asked.data_parallel_size,
        enable_expert_parallel=asked.enable_expert_parallel,
        enable_dp_attention=asked.enable_dp_attention,
    )
    if count is not None and sizes.world_size > count:
        raise InvalidRequestError(
            f"parallelism: the sizes multiply to {sizes.world_size} GPUs, and hardware.count is {count}",
            field="parallelism",
            hint=f"lower the sizes, or raise hardware.count to {sizes.world_size}",
        )
    return sizes


def _default_max_model_len(model: Model | None) -> int:
    allowed = model.max_position_embeddings if model else None
    return min(DEFAULT_MAX_MODEL_LEN, allowed or DEFAULT_MAX_MODEL_LEN)
