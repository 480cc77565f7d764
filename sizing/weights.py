"""Bytes of weights on each rank: sums over the tensor inventory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .deployment import Deployment, EngineSettings, Sizes
from .model import Model, Part, Split, Tensor
from .parallelism import IndivisibleError, heads_per_rank, padded, share, stages
from .remembered import of_each_model
from .storage import Storage, kinds_of_layers

PartBytes = dict[Part, int]

MOST_RANKS = 2**14
"""Where the search for tensor parallel sizes ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How tensors are stored and divided."""

    storage: Storage
    sizes: Sizes
    vocabulary_padding: int
    """Rows the vocabulary is padded to a multiple of."""
    keeps_tables_in_host_memory: bool = False
    """Whether tables of which each token reads one row stay off the GPU."""

    def rank_bytes(self, tensor: Tensor, module: str) -> int:
        """Bytes of ``tensor``, whose whole path is ``module``, on one rank, rounded up.

        Raises: IndivisibleError.
        """
        rows, columns, count = self.held(tensor)
        ranks = self._slices(tensor)
        stored = self.storage.format_of(tensor, module)
        if ranks > 1 and stored.scale and tensor.split in (Split.ROWS, Split.COLUMNS):
            by_rows = tensor.split is Split.ROWS
            if not stored.scale.divides(rows, columns, by_rows=by_rows):
                what = f"{'rows' if by_rows else 'columns'} of {tensor.module} in groups of {stored.scale.group}"
                raise IndivisibleError(what, tensor.shape[0 if by_rows else -1], ranks)
        if tensor.part == "experts" and stored.expert_padding:
            whole, divided = stored.expert_padding.hidden_size, stored.expert_padding.intermediate_size
            by_rows = tensor.split is Split.ROWS
            rows, columns = padded(rows, divided if by_rows else whole), padded(columns, whole if by_rows else divided)
        return self.storage.bytes_of(stored.bits_of(rows, columns) * count, module)

    def held(self, tensor: Tensor) -> tuple[int, int, int]:
        """Rows and columns of one rank's part of ``tensor``, and how many such parts it holds; a vector is one row.

        Raises: IndivisibleError.
        """
        rows, columns = tensor.shape if len(tensor.shape) > 1 else (1, tensor.shape[0])
        is_vector = len(tensor.shape) == 1
        ranks, count = self._slices(tensor), tensor.count
        if tensor.part == "experts" and self.sizes.enable_expert_parallel:
            count = -(-count // self._ranks_of(tensor))
        match tensor.split:
            case Split.VOCABULARY:
                vocabulary = padded(tensor.shape[0], self.vocabulary_padding)
                held = share(vocabulary, ranks, "rows of the padded vocabulary")
                rows, columns = (1, held) if is_vector else (held, columns)
            case Split.ROWS:
                held = _held(tensor, tensor.shape[0], ranks)
                rows, columns = (1, held) if is_vector else (held, columns)
            case Split.COLUMNS:
                columns = _held(tensor, columns, ranks)
            case Split.WHOLE:
                pass
        return rows, columns, count

    def _slices(self, tensor: Tensor) -> int:
        """Parts each matrix is cut into; experts that are spread stay whole."""
        if tensor.part == "experts" and self.sizes.enable_expert_parallel:
            return 1
        return self._ranks_of(tensor)

    def _ranks_of(self, tensor: Tensor) -> int:
        """Ranks that ``tensor`` is divided between."""
        sizes = self.sizes
        match tensor.part:
            case "experts":
                # vLLM spreads experts over the data-parallel replicas too: whole ones, or slices of each.
                return sizes.tensor_parallel_size * sizes.replicas
            case "attention":
                return sizes.attention_parallel_size
            case "embedding" if sizes.enable_dp_attention:
                # Ranks with other sequences look up other tokens.  Source: SGLang, VocabParallelEmbedding(enable_tp).
                return 1
            case _:
                return sizes.tensor_parallel_size

    def part_bytes(self, tensors: Iterable[Tensor], prefix: str = "") -> PartBytes:
        """Bytes of each part of ``tensors`` on one rank."""
        found: PartBytes = {}
        for tensor in tensors:
            size = self.rank_bytes(tensor, prefix + tensor.module)
            found[tensor.part] = found.get(tensor.part, 0) + size
        return found


def placement_of(deployment: Deployment) -> Placement:
    """How ``deployment`` stores and divides its tensors."""
    return placed(deployment.storage, deployment.engine, deployment.split)


def placed(storage: Storage, settings: EngineSettings, sizes: Sizes) -> Placement:
    """How an engine with these ``settings`` divides what is stored as ``storage`` says."""
    return Placement(
        storage=storage,
        sizes=sizes,
        vocabulary_padding=settings.vocabulary_padding,
        keeps_tables_in_host_memory=settings.keeps_tables_in_host_memory,
    )


@of_each_model
def weights_per_stage(model: Model, placement: Placement) -> tuple[PartBytes, ...]:
    """Weights on one rank of each pipeline stage; the first holds towers and embedding, the last the output.

    Raises: IndivisibleError, InvalidRequestError.
    """
    spans = stages(model.num_hidden_layers, placement.sizes.pipeline_parallel_size)
    last = len(spans) - 1
    found = []
    for stage, span in enumerate(spans):
        embedding = _embedding(model, placement, is_first=stage == 0, is_last=stage == last)
        around = (
            *(model.towers if stage == 0 else ()),
            *embedding,
            *(model.output if stage == last else ()),
        )
        held = placement.part_bytes(around)
        if stage == 0 and placement.storage.stored and placement.storage.stored.unmatched_bytes:
            held["other"] = placement.storage.stored.unmatched_bytes
        found.append(_with_layers(held, model, span, placement))
    return tuple(found)


def _embedding(model: Model, placement: Placement, *, is_first: bool, is_last: bool) -> tuple[Tensor, ...]:
    """What a stage holds before the layers: on the first all that is on the GPU, on the last what the output is."""
    held = tuple(
        tensor
        for tensor in model.embedding
        if is_first and not (tensor.is_table and placement.keeps_tables_in_host_memory)
    )
    output = model.embedding[:1] if is_last and model.tie_word_embeddings else ()
    return (*(tensor for tensor in output if tensor not in held), *held)


@of_each_model
def tensor_parallel_sizes(model: Model, placement: Placement) -> tuple[int, ...]:
    """The tensor parallel sizes that divide ``model``, all else as placed, up to one attention head a rank.

    Without attention, up to one feed-forward column a rank.
    """
    size = model.num_attention_heads or model.intermediate_size
    candidates = range(1, min(size, MOST_RANKS) + 1)
    return tuple(ranks for ranks in candidates if size % ranks == 0 and _divides(model, placement, ranks))


def _divides(model: Model, placement: Placement, ranks: int) -> bool:
    try:
        sizes = placement.sizes._replace(tensor_parallel_size=ranks)
        weights_per_stage(model, replace(placement, sizes=sizes))
    except IndivisibleError:
        return False
    return True


def _with_layers(around: PartBytes, model: Model, span: range, placement: Placement) -> PartBytes:
    """Bytes of each part of what is ``around`` and of the layers of ``span``; layers stored alike are summed once."""
    kinds = kinds_of_layers(model, placement.storage)
    total = dict(around)
    first = {(model.layers[index], kinds[index]): index for index in reversed(span)}
    counts = Counter((model.layers[index], kinds[index]) for index in span)
    for alike, count in counts.items():
        parts = placement.part_bytes(alike[0].tensors, f"{model.layers_module}.{first[alike]}.")
        for part, size in parts.items():
            total[part] = total.get(part, 0) + count * size
    return total


def _held(tensor: Tensor, size: int, ranks: int) -> int:
    """One rank's part of the divided side of ``tensor``, ``size`` long."""
    if not tensor.heads:
        return share(size, ranks, f"columns of {tensor.module}")
    each = size // tensor.heads
    return each * heads_per_rank(tensor.heads, ranks, replicates=tensor.replicates_heads)
