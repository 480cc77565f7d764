"""What each log says of the components of its memory."""

from dataclasses import dataclass
from functools import cache

from sizing.catalog.gpus import GIB
from sizing.catalog.spread import RanksKind
from sizing.engine import ranks_kind
from sizing.estimate import Estimate

from ..records import MEASURED, NotAskable, Record, ask, gpu_of, is_left_out, read_records


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One log."""

    profile: str
    is_left_out: bool
    is_mixture_of_experts: bool
    ranks: RanksKind
    max_num_seqs: int
    entries: int
    """max_num_seqs x vocab_size; 0 on a rank that computes no logits."""
    elements: int
    """max_num_batched_tokens x (3 x intermediate_size / ranks + 2 x hidden_size)."""
    layer_elements: int
    """Layers of the first stage x hidden_size."""
    activation: int | None
    non_torch: int | None
    cuda_graphs: int | None


@cache
def samples() -> tuple[Sample, ...]:
    """The logs of vLLM that tell a release and a GPU."""
    return tuple(sample for record in read_records(MEASURED) if (sample := _sample(record)))


def hundredths(size: float) -> int:
    """``size`` bytes to a hundredth of a GiB, as rows hold them.

    >>> hundredths(0.254 * 2**30) / 2**30
    0.25
    """
    return round(size * 100 / GIB) * GIB // 100


def _sample(record: Record) -> Sample | None:
    if record["engine"] != "vllm" or record["engine_version"] is None or gpu_of(record) is None:
        return None
    if "unified" in (record["gpu"] or ""):
        # Memory shared with the host grows by what else runs there.
        return None
    try:
        found = ask(record)
    except NotAskable:
        return None
    return _of(record, found)


def _of(record: Record, found: Estimate) -> Sample | None:
    settings, sizes, model = found.deployment.engine, found.deployment.split, found.deployment.model
    if model is None:
        return None
    measured = record["measured"]
    width = -(-3 * model.intermediate_size // sizes.tensor_parallel_size) + 2 * model.hidden_size
    samples_tokens = sizes.pipeline_parallel_size == 1
    graphs = measured["cuda_graph_gib"]
    return Sample(
        profile=settings.profile.name,
        is_left_out=is_left_out(record["catalog_model"]),
        is_mixture_of_experts=model.is_mixture_of_experts,
        ranks=ranks_kind(sizes),
        max_num_seqs=settings.max_num_seqs,
        entries=settings.max_num_seqs * model.vocab_size if samples_tokens else 0,
        elements=settings.max_num_batched_tokens * width,
        layer_elements=model.num_hidden_layers // sizes.pipeline_parallel_size * model.hidden_size,
        activation=_bytes(measured["activation_peak_gib"]),
        non_torch=_bytes(measured["non_torch_gib"]),
        # A negative difference is memory that was freed in between.
        cuda_graphs=_bytes(graphs) if graphs is None or graphs >= 0 else None,
    )


def _bytes(gib: float | None) -> int | None:
    return None if gib is None else round(gib * GIB)
