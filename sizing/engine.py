"""What an engine takes beside weights and kv cache, by the formulas of its profile."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from schemas.errors import InvalidRequestError
from schemas.request import Engine

from .catalog.activation import Activation, ComputeBuffer
from .catalog.engines import find_engine, find_profile
from .catalog.formats import Format
from .catalog.gpus import Gpu, host_share_per_mille
from .catalog.profile import Inside, Profile, Reserve
from .catalog.spread import RanksKind, RanksSpread, Spread
from .compute_buffer import Graph
from .deployment import EngineSettings, Sizes
from .exact import as_written
from .lora import lora_slots
from .model import Model
from .remembered import of_each_model

_REMEMBERED = 4096
"""Settings and budgets kept: more than there are releases of engines and GPUs that are asked about."""


class Term(NamedTuple):
    """Bytes on one rank: expected, and the ends of the range.  A tuple, as an estimate makes a dozen of them."""

    low: int
    expected: int
    high: int

    def plus(self, other: "Term") -> "Term":
        """Both together."""
        # Most of what could come on top is nothing.
        if other is NOTHING:
            return self
        return Term(self.low + other.low, self.expected + other.expected, self.high + other.high)


NOTHING = Term(low=0, expected=0, high=0)


@lru_cache(maxsize=_REMEMBERED)
def settle(asked: Engine, gpu: Gpu, gpu_memory_bytes: int, sizes: Sizes, max_model_len: int) -> EngineSettings:
    """The engine's arguments on ``gpu``, its defaults filled in.

    Raises: InvalidRequestError for an argument the engine does not have.
    """
    row = find_engine(asked.name)
    version = asked.version or row.default_version
    profile, is_measured = find_profile(asked.name, version, gpu.compute_capability_tens)
    defaults = next(
        choice
        for choice in profile.defaults
        if gpu_memory_bytes >= choice.min_memory_bytes
        and not (choice.not_named and choice.not_named.lower() in gpu.name.lower())
    )
    batched = defaults.max_num_batched_tokens
    if profile.batches_a_whole_prompt:
        batched = max(batched, max_model_len)
    max_num_seqs = asked.max_num_seqs or defaults.max_num_seqs
    max_num_batched_tokens = asked.max_num_batched_tokens or batched
    utilization = profile.gpu_memory_utilization
    return EngineSettings(
        name=asked.name,
        version=version,
        profile=profile,
        is_measured=is_measured,
        vocabulary_padding=row.vocabulary_padding.value,
        block_size=row.block_size.value,
        keeps_rotary_tables=row.keeps_rotary_tables.value,
        # Where a process gets a share of one memory for both, what the host holds counts too.
        keeps_tables_in_host_memory=row.keeps_tables_in_host_memory.value and not gpu.shares_its_budget,
        flash_attention=_flash_attention(asked, profile),
        gpu_memory_utilization=asked.gpu_memory_utilization
        or (
            _unreserved_fraction(utilization, gpu_memory_bytes, max_num_batched_tokens, max_num_seqs, sizes)
            if isinstance(utilization, Reserve)
            else utilization.value
        ),
        max_num_seqs=max_num_seqs,
        max_num_batched_tokens=max_num_batched_tokens,
        enforce_eager=asked.enforce_eager,
        lora=lora_slots(asked, row, version),
        gpu_form=gpu.form,
        host_share_per_mille=host_share_per_mille(gpu),
    )


def _flash_attention(asked: Engine, profile: Profile) -> bool:
    """As asked, else as the release does; engines without the switch never write scores to memory."""
    if isinstance(profile.activation, ComputeBuffer):
        return profile.activation.uses_flash_attention if asked.flash_attention is None else asked.flash_attention
    if asked.flash_attention is not None:
        raise InvalidRequestError(
            f"engine.flash_attention: {asked.name} has no such switch",
            field="engine.flash_attention",
            hint="leave it out, or name llama.cpp",
        )
    return True


def _unreserved_fraction(
    rows: Reserve, gpu_memory_bytes: int, max_num_batched_tokens: int, max_num_seqs: int, sizes: Sizes
) -> float:
    """Fraction of the memory that the reserve leaves, to three decimals as the engine rounds it."""
    reserved = (
        rows.constant_bytes
        + rows.bytes_per_batched_token * max(max_num_batched_tokens, rows.least_batched_tokens)
        + rows.bytes_per_sequence * max_num_seqs
        + rows.bytes_per_rank * sizes.tensor_parallel_size * sizes.pipeline_parallel_size
    )
    if gpu_memory_bytes > rows.large_gpu_bytes:
        reserved = max(reserved, rows.least_on_large_gpu_bytes)
    return max((gpu_memory_bytes - reserved) * 1000 // gpu_memory_bytes, 1) / 1000


def usable_bytes(settings: EngineSettings, gpu_memory_bytes: int) -> int:
    """Bytes of one GPU the engine plans with, rounded down."""
    if settings.profile.budget.is_of_free_memory:
        return gpu_memory_bytes
    return _planned_bytes(gpu_memory_bytes, settings.gpu_memory_utilization)


@lru_cache(maxsize=_REMEMBERED)
def _planned_bytes(gpu_memory_bytes: int, utilization: float) -> int:
    return int(gpu_memory_bytes * as_written(utilization))


@of_each_model
def activation(  # noqa: PLR0917 - positional, as results are remembered by them
    model: Model,
    settings: EngineSettings,
    sizes: Sizes,
    cells: tuple[int, ...],
    is_first: bool,  # noqa: FBT001 - the same
    is_last: bool,  # noqa: FBT001 - the same
) -> Term:
    """Peak of activations on one rank of the first stage, the last, one between them, or the only one.

    ``cells`` are the tokens that each kind of attention there holds of a sequence.  Source: the profile's
    ``activation``.
    """
    rows = settings.profile.activation
    if isinstance(rows, ComputeBuffer):
        graph = Graph(
            rows=rows, settings=settings, model=model, sizes=sizes, cells=cells, is_first=is_first, is_last=is_last
        )
        peak = graph.moments().size_bytes
        term = Term(
            low=peak * (1000 - rows.low_per_mille) // 1000,
            expected=peak,
            high=-(-peak * (1000 + rows.high_per_mille) // 1000),
        )
    else:
        peak = _forward_or_sampler(rows, settings, model, sizes, samples=is_last)
        term = Term(low=max(peak + rows.low_spread_bytes, 0), expected=peak, high=peak + rows.high_spread_bytes)
        term = term.plus(_of_experts(rows.mixture_of_experts_bytes, model))
    if settings.is_measured:
        return term
    return Term(low=0, expected=term.expected, high=term.high * rows.unmeasured_high_per_mille.value // 1000)


def _forward_or_sampler(
    rows: Activation, settings: EngineSettings, model: Model, sizes: Sizes, *, samples: bool
) -> int:
    """The larger of what the feed-forward of a batch takes and, where logits are computed, what sampling takes."""
    batched = settings.max_num_batched_tokens
    width = -(-3 * model.intermediate_size // sizes.tensor_parallel_size) + 2 * model.hidden_size
    peak = batched * width * rows.forward.bytes_per_element_tenths // 10
    if not samples:
        return peak
    sampler = rows.sampler
    entries = (settings.max_num_seqs if sampler.rows == "max_num_seqs" else batched) * model.vocab_size
    warm_up = sampler.constant_bytes + entries * sampler.bytes_per_row_and_vocabulary_entry_tenths // 10
    return max(peak, warm_up)


def while_speculating(peak: Term) -> Term:
    """The peak of activations where a draft proposes tokens: logits of the proposed ones may come on top.

    No log tells it: it widens the range.
    """
    return Term(low=peak.low, expected=peak.expected, high=peak.high + peak.expected)


def held_by_host(settings: EngineSettings, gpu_memory_bytes: int) -> Term:
    """What the host may hold of a memory that it shares with the GPU; no log tells it."""
    if not settings.host_share_per_mille:
        return NOTHING
    return Term(low=0, expected=0, high=gpu_memory_bytes * settings.host_share_per_mille // 1000)


def overhead(settings: EngineSettings, beside: Mapping[Inside, Term]) -> Term:
    """Memory ``beside`` the allocator on one rank that the engine's budget counts."""
    counted = NOTHING
    for name, term in beside.items():
        if name in settings.profile.budget.counts:
            counted = counted.plus(term)
    return counted


def outside(settings: EngineSettings, beside: Mapping[Inside, Term]) -> Term:
    """Memory ``beside`` the allocator on one rank that the engine's budget does not count.

    It lives in what the budget leaves of the GPU: the kv cache takes all of the budget, needed or not.
    """
    uncounted = NOTHING
    for name, term in beside.items():
        if name not in settings.profile.budget.counts:
            uncounted = uncounted.plus(term)
    return uncounted


def beside_allocator(settings: EngineSettings, model: Model, sizes: Sizes) -> dict[Inside, Term]:
    """What one rank takes outside the allocator, told apart."""
    return {
        "non-torch": non_torch(settings, sizes),
        "context": context(settings, sizes),
        "cuda-graphs": cuda_graphs(settings, model, sizes),
    }


def left_alone(settings: EngineSettings, gpu_memory_bytes: int, taken: Term) -> Term:
    """Memory that is free beside what is ``taken``, and that the engine does not give to the kv cache either."""
    if not settings.profile.budget.is_of_free_memory:
        return NOTHING
    kept = 1 - as_written(settings.gpu_memory_utilization)

    def of(size: int) -> int:
        return -int(-max(gpu_memory_bytes - size, 0) * kept // 1)

    # The more is taken, the less is left: only the expected value is the engine's to choose.
    expected = of(taken.expected)
    return Term(low=expected, expected=expected, high=expected)


def non_torch(settings: EngineSettings, sizes: Sizes) -> Term:
    """What one rank takes outside the allocator while the engine starts."""
    return _for_ranks(settings.profile.non_torch, settings, sizes)


def cuda_graphs(settings: EngineSettings, model: Model, sizes: Sizes) -> Term:
    """What captured graphs take on one rank; nothing without them.

    Source: the profile's ``cuda_graphs``.
    """
    if settings.enforce_eager:
        return NOTHING
    rows = settings.profile.cuda_graphs
    layers = -(-model.num_hidden_layers // sizes.pipeline_parallel_size)
    taken = (
        rows.constant_bytes
        + rows.bytes_per_sequence * min(settings.max_num_seqs, rows.most_sequences)
        + rows.bytes_per_layer_and_hidden_element * layers * model.hidden_size
    )
    term = Term(low=max(taken + rows.low_spread_bytes, 0), expected=taken, high=taken + rows.high_spread_bytes)
    return term.plus(_of_experts(rows.mixture_of_experts_bytes, model))


def experts_workspace(settings: EngineSettings, model: Model, stored: Format) -> Term:
    """What kernels for experts in the format ``stored`` take on one rank beside all that is logged."""
    rows = settings.profile.experts_workspace if model.is_mixture_of_experts else ()
    row = next((row for row in rows if row.weight_format == stored.name), None)
    return Term(low=row.low, expected=row.expected, high=row.high) if row else NOTHING


def rotary_tables(settings: EngineSettings, model: Model, bits: int) -> Term:
    """Tables of rotary embeddings on one rank, at ``bits`` an element: logged with the weights, in no checkpoint."""
    size = sum(table.num_parameters for table in model.rotary) * bits // 8 if settings.keeps_rotary_tables else 0
    return Term(low=size, expected=size, high=size)


def context(settings: EngineSettings, sizes: Sizes) -> Term:
    """What one rank's process takes before anything is loaded."""
    return _for_ranks(settings.profile.context, settings, sizes)


def weights_range(profile: Profile, weights_bytes: int) -> Term:
    """Weights as computed, and what engines print at most for them."""
    extra = weights_bytes * profile.weights_high_per_mille.value // 1000
    return Term(low=weights_bytes, expected=weights_bytes, high=weights_bytes + extra)


def ranks_kind(sizes: Sizes) -> RanksKind:
    """The way of splitting a model that rows tell apart."""
    if sizes.tensor_parallel_size > 1:
        return "tensor-parallel"
    return "pipeline-only" if sizes.pipeline_parallel_size > 1 else "one"


def _of_experts(extra: Spread, model: Model) -> Term:
    return Term(low=extra.low, expected=extra.expected, high=extra.high) if model.is_mixture_of_experts else NOTHING


def _for_ranks(rows: tuple[RanksSpread, ...], settings: EngineSettings, sizes: Sizes) -> Term:
    kind, form = ranks_kind(sizes), settings.gpu_form
    row = next(row for row in rows if row.ranks == kind and form.startswith(row.form))
    return Term(low=row.low, expected=row.expected, high=row.high)
