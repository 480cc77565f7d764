"""Each term's formula with its numbers put in, for a person who asks why."""

from collections.abc import Iterator
from dataclasses import dataclass

from . import engine
from .attention import Cache
from .catalog.activation import Activation, ComputeBuffer
from .compute_buffer import Graph
from .deployment import Deployment
from .detailed import Stage, stages_of
from .estimate import Estimate
from .kv_cache import Share
from .model import Model

GIB = 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One term of an estimate."""

    term: str
    formula: str
    size_bytes: int


def explain(estimate: Estimate) -> list[Line]:
    """The terms of ``estimate``, each with the formula that gave it; those of the worst rank."""
    deployment = estimate.deployment
    if estimate.kv_cache is None or deployment.model is None:
        return list(_rule_of_thumb(estimate))
    return list(_detailed(estimate, deployment, deployment.model))


def _rule_of_thumb(estimate: Estimate) -> Iterator[Line]:
    thumb, deployment = estimate.rule_of_thumb, estimate.deployment
    bits = deployment.weight_format.bits
    gpus = deployment.split.world_size
    formula = f"{thumb.num_parameters:,} parameters x {bits} bits / 8 / {gpus} GPUs"
    yield Line(term="weights", formula=formula, size_bytes=estimate.per_gpu.weights_bytes)
    yield Line(
        term="kv cache",
        formula=f"weights x {thumb.factor:g}, less the weights",
        size_bytes=estimate.per_gpu.kv_cache_bytes,
    )
    yield _usable(deployment, estimate)


def _detailed(estimate: Estimate, deployment: Deployment, model: Model) -> Iterator[Line]:
    stages = stages_of(deployment, model)
    stage = max(stages, key=lambda each: each.weights.expected == estimate.per_gpu.weights_bytes)
    place, sizes = stages.index(stage), deployment.split
    split = f"one of {sizes.tensor_parallel_size} ranks"
    if sizes.pipeline_parallel_size > 1:
        split += f" of stage {place + 1} of {sizes.pipeline_parallel_size}"
    parts = " + ".join(f"{part} {_gib(size)}" for part, size in sorted(stage.parts.items(), key=lambda each: -each[1]))
    yield Line(
        term="weights",
        formula=f"{parts}; {deployment.weight_format.name}, {split}",
        size_bytes=stage.weights.expected,
    )
    sequences = deployment.sequences_of_a_replica
    shares = " + ".join(_share(share, deployment.max_model_len) for share in stage.cache.shares)
    yield Line(
        term="kv cache",
        formula=f"{sequences} sequences x ({shares or 'nothing is kept'})",
        size_bytes=sequences * stage.sequence_bytes,
    )
    yield Line(
        term="activation",
        formula=_activation(deployment, model, stage, is_first=place == 0, is_last=place == len(stages) - 1),
        size_bytes=stage.activation.expected,
    )
    yield Line(term="overhead", formula=_overhead(deployment, model), size_bytes=stage.overhead.expected)
    yield _usable(deployment, estimate)
    if estimate.outside and estimate.outside.needed_bytes:
        yield Line(
            term="outside",
            formula=_outside(deployment, model, stage.peak, estimate.outside.room_bytes),
            size_bytes=estimate.outside.needed_bytes,
        )


def _share(share: Share, tokens: int) -> str:
    cache: Cache = share.cache
    kept = f"{share.layers} {cache.kind} layers: "
    if share.bits_per_token:
        bits, blocks = share.bits_per_token, share.sequence_bits(tokens) - 8 * share.state_bytes
        kept += f"{-(-bits // 8):,} B a token x {blocks // bits:,} tokens"
        if share.state_bytes:
            kept += f" + {share.state_bytes:,} B"
    else:
        kept += f"a state of {share.state_bytes:,} B"
    return kept


def _activation(deployment: Deployment, model: Model, stage: Stage, *, is_first: bool, is_last: bool) -> str:
    rows = deployment.engine.profile.activation
    if not isinstance(rows, ComputeBuffer):
        return _forward_or_sampler(deployment, model, rows, samples=is_last)
    moments = Graph(
        rows=rows,
        settings=deployment.engine,
        model=model,
        sizes=deployment.split,
        cells=stage.cache.cells(deployment.max_model_len),
        is_first=is_first,
        is_last=is_last,
    ).moments()
    inputs, layer = (
        f"{moments.copies} x inputs {_gib(moments.inputs // moments.copies)}",
        f"layer {_gib(moments.layer)}",
    )
    if not is_last:
        return f"{inputs} + {layer}"
    logits = f"logits {_gib(moments.logits)}"
    if moments.copies > 1:
        return f"{inputs} + the larger of {layer} and {logits}"
    cast = f"masks as they are cast {_gib(moments.cast)}, " if moments.cast else ""
    return f"the largest of {cast}{inputs} + {layer}, and {logits}"


def _forward_or_sampler(deployment: Deployment, model: Model, rows: Activation, *, samples: bool) -> str:
    settings, ranks = deployment.engine, deployment.split.tensor_parallel_size
    forward = (
        f"forward {rows.forward.bytes_per_element_tenths / 10:g} B x {settings.max_num_batched_tokens:,} tokens x "
        f"(3 x {model.intermediate_size:,} / {ranks} + 2 x {model.hidden_size:,})"
    )
    if not samples:
        return forward
    sampler = rows.sampler
    count = settings.max_num_seqs if sampler.rows == "max_num_seqs" else settings.max_num_batched_tokens
    warm_up = (
        f"sampler {_gib(sampler.constant_bytes)} + {sampler.bytes_per_row_and_vocabulary_entry_tenths / 10:g} B x "
        f"{count:,} {sampler.rows} x {model.vocab_size:,} vocabulary"
    )
    extra = rows.mixture_of_experts_bytes.expected if model.is_mixture_of_experts else 0
    return f"the larger of {warm_up} and {forward}" + (f", and {_gib(extra)} for experts" if extra else "")


def _overhead(deployment: Deployment, model: Model) -> str:
    settings = deployment.engine
    counted = [
        f"{name} {_gib(term.expected)}"
        for name, term in engine.beside_allocator(settings, model, deployment.split).items()
        if name in settings.profile.budget.counts
    ]
    if (tables := engine.rotary_tables(settings, model, deployment.storage.plain.bits)).expected:
        counted.append(f"rotary tables {_gib(tables.expected)}")
    return " + ".join(counted) or "nothing in the budget"


def _outside(deployment: Deployment, model: Model, activation: engine.Term, room: int) -> str:
    settings = deployment.engine
    terms = {"activation": activation, **engine.beside_allocator(settings, model, deployment.split)}
    uncounted = [
        f"{name} {_gib(term.expected)}" for name, term in terms.items() if name not in settings.profile.budget.counts
    ]
    if (workspace := engine.experts_workspace(settings, model, deployment.weight_format)).expected:
        uncounted.append(f"workspace of {deployment.weight_format.name} experts {_gib(workspace.expected)}")
    return f"{' + '.join(uncounted)}, in the {_gib(room)} that the budget leaves of the GPU"


def _usable(deployment: Deployment, estimate: Estimate) -> Line:
    return Line(
        term="usable",
        formula=f"{deployment.engine.gpu_memory_utilization:g} x {_gib(deployment.gpu_memory_bytes)}, "
        f"{deployment.gpu.name}",
        size_bytes=estimate.per_gpu.usable_bytes,
    )


def _gib(size: int) -> str:
    return f"{size / GIB:.2f} GiB"
