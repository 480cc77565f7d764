"""The config.json that a GGUF file's metadata stands for, and its tensors by the names of one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.errors import ModelUnreadableError, UnsupportedArchitectureError
from schemas.vocabulary import WeightFormat
from sizing.catalog.gguf import load_gguf
from sizing.catalog.gguf_files import Architecture, load_gguf_files
from sizing.stored import StoredTensor

from .files import Files, unreadable
from .gguf import GgufTensor, Value

_EMBEDDING, _OUTPUT, _LAYER = "token_embd.weight", "output.weight", "blk"
_ROUTING_BIAS = ".exp_probs_b.bias"

Metadata = Mapping[str, Value]


def config_of(files: Files, name: str, metadata: Metadata, tensors: Sequence[GgufTensor]) -> dict[str, Any]:
    """The fields of a config.json that say what ``metadata`` of file ``name`` and its ``tensors`` say.

    Raises: UnsupportedArchitectureError, ModelUnreadableError.
    """
    catalog = load_gguf_files()
    row = _architecture(files, name, metadata)
    shapes = {tensor.name: tensor.shape for tensor in tensors}
    if _EMBEDDING not in shapes:
        raise unreadable(files, name, f"it has no tensor {_EMBEDDING}", "name the first part of the model itself")
    fields: dict[str, Any] = {
        field: value
        for field, keys in {**catalog.fields, **row.fields}.items()
        if (value := _integer(files, name, metadata, [f"{row.name}.{key}" for key in keys]))
    }
    below = {tensor.split(".", 2)[2] for tensor in shapes if tensor.count(".") > 1}
    fields |= {flag: tensor in below for flag, tensor in catalog.flags.items()}
    if row.is_latent and {"head_dim", "qk_rope_head_dim"} <= fields.keys():
        fields["qk_nope_head_dim"] = fields.pop("head_dim") - fields["qk_rope_head_dim"]
    # The file counts layers for multi-token prediction with the others.
    fields["num_hidden_layers"] = fields.get("num_hidden_layers", 0) - fields.get("num_nextn_predict_layers", 0)
    return {
        **fields,
        "architectures": [_family(row, fields, shapes)],
        "vocab_size": shapes[_EMBEDDING][0],
        "tie_word_embeddings": _OUTPUT not in shapes,
        "dtype": catalog.dtype,
    }


def format_of(metadata: Metadata, tensors: Sequence[GgufTensor]) -> WeightFormat:
    """The format of the contract nearest to what the file calls itself, or to what most of it is stored in."""
    number = metadata.get("general.file_type")
    named = load_gguf_files().file_types.get(number) if type(number) is int else None
    if named:
        return named
    held: dict[str, int] = {}
    for tensor in tensors:
        held[tensor.block.type] = held.get(tensor.block.type, 0) + tensor.size
    most = max(held, key=lambda block: held[block])
    mixtures = load_gguf().mixtures.values()
    return next((each.name for each in mixtures if each.type == most), "gguf:q8_0")


def stored_tensors(tensors: Iterable[GgufTensor]) -> list[StoredTensor]:
    """``tensors`` under the names that checkpoints give them."""
    return [_stored(tensor) for tensor in tensors]


def _stored(tensor: GgufTensor) -> StoredTensor:
    catalog = load_gguf_files()
    parts = tensor.name.split(".")
    place = 2 if parts[0] == _LAYER and len(parts) > 2 else 0  # noqa: PLR2004 - blk, its number, and the name
    layer, own, ending = parts[:place], parts[place], parts[place + 1 :]
    is_bias = ending == ["bias"]
    return StoredTensor(
        name=tensor.name,
        module=".".join(
            [*(["layers", *layer[1:]] if layer else []), catalog.modules.get(own, own), *(ending if is_bias else [])]
        ),
        elements=0 if own in catalog.beside else tensor.count,
        shape=tensor.shape,
        bits=tensor.size * 8,
        is_plain=tensor.block.elements == 1,
    )


def _architecture(files: Files, name: str, metadata: Metadata) -> Architecture:
    covered = load_gguf_files().architectures
    said = metadata.get("general.architecture")
    if not isinstance(said, str):
        raise unreadable(files, name, "general.architecture is absent, so that nothing says what it is")
    if said not in covered:
        raise UnsupportedArchitectureError(
            f"{files.field}: {name}: general.architecture {said[:64]!r} is not covered",
            field=files.field,
            hint=f"covered: {', '.join(covered)}; or put the model's config.json beside the file",
        )
    return covered[said]


def _family(row: Architecture, fields: Mapping[str, Any], shapes: Iterable[str]) -> str:
    if row.experts and fields.get("num_experts"):
        return row.experts
    if row.routing_bias and any(name.endswith(_ROUTING_BIAS) for name in shapes):
        return row.routing_bias
    return row.family


def _integer(files: Files, name: str, metadata: Metadata, keys: Iterable[str]) -> int | None:
    """The number of the first of ``keys`` that is there; None where none is.

    Raises: ModelUnreadableError when it is no number, or not one for all layers.
    """
    key = next((key for key in keys if key in metadata), None)
    if key is None:
        return None
    value = metadata[key]
    values = set(value) if isinstance(value, tuple) else {value}
    if len(values) != 1:
        raise _not_one(files, name, key)
    (only,) = values
    if type(only) is not int:
        raise _not_one(files, name, key)
    return only


def _not_one(files: Files, name: str, key: str) -> ModelUnreadableError:
    return unreadable(
        files,
        name,
        f"{key} is not one whole number for all layers",
        "put the model's config.json beside the file",
    )
