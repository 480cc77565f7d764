"""The tensors of a checkpoint's headers, set beside those its family has.

What has the same name and the same number of weights is the same tensor. What is left of a layer, packed or named in
its own way, is taken as a whole: it must have as many weights as what is left of the family's layer. Bytes are always
those of the headers; how they are divided between ranks is the family's to say.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from schemas.errors import ModelUnreadableError

from .catalog.safetensors import load_safetensors
from .model import NO_LAYER, Model, Tensor
from .published.modules import canonical
from .storage import Storage
from .stored import Stored, StoredTensor

_OUTPUT = "lm_head"
_HINT = "the config.json must be that of the same checkpoint"

Ours = list[tuple[str, Tensor]]
"""Tensors of the family by their whole paths."""
Theirs = list[StoredTensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scope:
    """One layer, or what is around the layers."""

    ours: Mapping[str, Ours]
    """By what both sides call the module."""
    theirs: Mapping[str, Theirs]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Tensors of the family, and those of the checkpoint that they are."""

    ours: Ours
    theirs: Theirs
    is_matched: bool = True
    """Whether they have as many weights."""

    @property
    def is_plain(self) -> bool | None:
        """Whether all weights are not quantized; None where some are, or where there are none."""
        kinds = {tensor.is_plain for tensor in self.theirs if tensor.elements}
        return kinds.pop() if len(kinds) == 1 else None


def with_headers(model: Model, storage: Storage, tensors: Iterable[StoredTensor]) -> Storage:
    """``storage`` of ``model`` with the bytes that the headers of its ``tensors`` have.

    Raises: ModelUnreadableError when the two are not of one model.
    """
    widths = {stored.bits for _, stored in storage.formats}
    groups = [group for scope in _scopes(model, tensors) for group in _groups(scope, counts_words=len(widths) <= 1)]
    is_plain = {path: group.is_plain for group in groups if group.is_plain is not None for path, _ in group.ours}
    known = replace(storage, stored=Stored(is_plain=is_plain, per_expected={}))
    per_expected: dict[str, Fraction] = {}
    unmatched: list[str] = []
    unmatched_bits = 0
    for group in groups:
        expected = sum(_bits(known, tensor, path) for path, tensor in group.ours)
        found = sum(tensor.bits for tensor in group.theirs)
        if not group.is_matched:
            unmatched += [tensor.name for tensor in group.theirs]
            unmatched_bits += max(found - expected, 0)
            found = min(found, expected)
        if expected and found != expected:
            per_expected.update({path: Fraction(found, expected) for path, _ in group.ours})
    stored = Stored(
        is_plain=is_plain,
        per_expected=per_expected,
        unmatched=tuple(unmatched),
        unmatched_bytes=-(-unmatched_bits // 8),
    )
    return replace(storage, stored=stored)


def _bits(storage: Storage, tensor: Tensor, path: str) -> int:
    """Bits of all of ``tensor`` by its format."""
    rows, columns = tensor.shape if len(tensor.shape) > 1 else (1, tensor.shape[0])
    return storage.format_of(tensor, path).bits_of(rows, columns) * tensor.count


def _scopes(model: Model, tensors: Iterable[StoredTensor]) -> Iterator[_Scope]:
    """What is around the layers, then each layer.

    Raises: ModelUnreadableError when the checkpoint has other layers than the model.
    """
    theirs: dict[int | None, dict[str, Theirs]] = defaultdict(lambda: defaultdict(list))
    for tensor in tensors:
        index, module = _place(tensor.module)
        if module.startswith("mtp"):
            continue
        if index is not None and index >= model.num_hidden_layers:
            if model.multi_token_prediction is NO_LAYER:
                raise _differs(f"{tensor.name} is beyond the {model.num_hidden_layers} layers of the config")
            continue
        theirs[index][module].append(tensor)
    around = (*model.towers, *model.embedding, *model.output)
    if model.tie_word_embeddings:
        # The same matrix once more; it is served once.
        theirs[None].pop(_OUTPUT, None)
    yield _Scope(ours=_by_module((tensor.module, tensor) for tensor in around), theirs=theirs[None])
    for index, layer in enumerate(model.layers):
        if index not in theirs:
            raise _differs(f"the checkpoint has no layer {index} of the config's {model.num_hidden_layers}")
        prefix = f"{model.layers_module}.{index}."
        ours = _by_module((tensor.module, tensor) for tensor in layer.tensors)
        yield _Scope(
            ours={module: [(prefix + path, tensor) for path, tensor in each] for module, each in ours.items()},
            theirs=theirs[index],
        )


def _place(module: str) -> tuple[int | None, str]:
    """The layer that a canonical path belongs to, None for what is around them, and the path below it."""
    stacks = load_safetensors().layers
    parts = module.split(".")
    for place, part in enumerate(parts):
        if place and part.isascii() and part.isdigit():
            return int(part), ".".join(parts[place + 1 :])
        if part not in stacks:
            break
    return None, module


def _by_module(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, Ours]:
    found: dict[str, Ours] = {}
    for path, tensor in tensors:
        found.setdefault(canonical(path), []).append((path, tensor))
    return found


def _groups(scope: _Scope, *, counts_words: bool) -> Iterator[_Group]:
    """The tensors of a scope matched by name, and what is left of both sides.

    ``counts_words`` says whether it is known how many weights a word holds: of several widths, each module has its own.
    Raises: ModelUnreadableError when what is left cannot be the same.
    """
    matched: list[_Group] = []
    left_ours: Ours = []
    left_theirs = {module: list(tensors) for module, tensors in scope.theirs.items()}
    for module, ours in scope.ours.items():
        if _agree(ours, scope.theirs.get(module, [])):
            matched.append(_Group(ours=ours, theirs=left_theirs.pop(module)))
        else:
            left_ours += ours
    rest = [tensor for tensors in left_theirs.values() for tensor in tensors]
    if not left_ours and matched and not any(tensor.elements for tensor in rest):
        # Scales of the kv cache and the like, which belong to no matrix.
        matched[0].theirs.extend(rest)
    elif left_ours or rest:
        matched += _left(scope, left_ours, rest, counts_words=counts_words)
    yield from matched


def _left(scope: _Scope, ours: Ours, theirs: Theirs, *, counts_words: bool) -> list[_Group]:
    """What no name matches: as one, or the matrices, with vectors that are too many or too few beside them.

    Raises: ModelUnreadableError when it holds matrices of the decoder and their weights are not as many.
    """
    everything = _Group(ours=ours, theirs=theirs)
    if _counts(everything):
        return [everything]
    matrices = _Group(
        ours=[(path, tensor) for path, tensor in ours if len(tensor.shape) > 1],
        theirs=[tensor for tensor in theirs if len(tensor.shape) > 1 or not tensor.elements],
    )
    if matrices.ours and _counts(matrices):
        vectors = _Group(
            ours=[(path, tensor) for path, tensor in ours if len(tensor.shape) == 1],
            theirs=[tensor for tensor in theirs if len(tensor.shape) == 1 and tensor.elements],
            is_matched=False,
        )
        return [matrices, vectors]
    if not counts_words and any(tensor.is_packed for tensor in theirs):
        return [everything]
    for path, tensor in matrices.ours:
        if tensor.part not in ("vision", "audio"):
            raise _differs(_difference(path, tensor, scope.theirs.get(canonical(tensor.module), theirs)))
    return [replace(everything, is_matched=False)]


def _counts(group: _Group) -> bool:
    """Whether both sides have as many weights."""
    return sum(tensor.num_parameters for _, tensor in group.ours) == sum(tensor.elements for tensor in group.theirs)


def _difference(path: str, tensor: Tensor, theirs: Sequence[StoredTensor]) -> str:
    said = f"{path} is {tensor.count} x {tensor.shape}" if tensor.count > 1 else f"{path} is {tensor.shape}"
    if not theirs:
        return f"{said} by the config, and the checkpoint has no such tensor"
    each = ", ".join(f"{other.name} with {other.elements:,} weights" for other in theirs[:3])
    return f"{said} by the config, where the checkpoint has {each}"


def _agree(ours: Ours, theirs: Theirs) -> bool:
    """Whether the tensors that have one name can be the same.

    Raises: ModelUnreadableError when they have as many weights and another shape.
    """
    if not _counts(_Group(ours=ours, theirs=theirs)):
        return False
    if len(ours) == len(theirs) == 1:
        ((path, mine),), (other,) = ours, theirs
        shape = () if other.is_packed else other.shape
        # Either way round: GPT-2 has inputs first.
        if mine.count == 1 and len(mine.shape) == len(shape) == 2 and sorted(mine.shape) != sorted(shape):  # noqa: PLR2004
            raise _differs(f"{path} is {mine.shape} by the config and {shape} in the checkpoint")
    return True


def _differs(why: str) -> ModelUnreadableError:
    return ModelUnreadableError(f"model: config and headers disagree: {why}", field="model", hint=_HINT)
