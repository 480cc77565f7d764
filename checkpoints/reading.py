"""From the files of a checkpoint to the model that is in them."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

from schemas.errors import ModelUnreadableError
from schemas.vocabulary import WeightFormat
from sizing.catalog.formats import FormatCatalog
from sizing.checkpoint import Checkpoint
from sizing.families import read_model
from sizing.inventory import with_headers
from sizing.storage import Storage, plain_format, storage_in_files

from .files import Files, read_small, unreadable
from .gguf import GgufHeader, read_gguf_header
from .gguf_config import config_of, format_of, stored_tensors
from .naming import stored_tensor
from .safetensors import HeaderTensor, read_header

CONFIG = "config.json"
HF_QUANT_CONFIG = "hf_quant_config.json"
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
SAFETENSORS, GGUF = ".safetensors", ".gguf"

LARGEST_JSON_BYTES = 2**25
"""An index names each of some hundred thousand tensors."""
MOST_SHARDS = 2**10
MOST_TENSORS = 2**20

_PROJECTOR = "mmproj"
"""What files of encoders of images are called, which are loaded beside a GGUF model."""
_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.ASCII | re.DOTALL)


def gguf_model(files: Files, weight_format: WeightFormat | None) -> str | None:
    """The GGUF file to read of ``files``, which ``weight_format`` tells apart; None where there are safetensors.

    Raises: ModelUnreadableError when there is none, or more than one.
    """
    if any(name.endswith(SAFETENSORS) or name == INDEX for name in files.sizes):
        return None
    return _gguf_model(files, weight_format)


def read_checkpoint(name: str, files: Files, formats: FormatCatalog, gguf: str | None) -> Checkpoint:
    """The model in ``files``, called ``name``: that of the file ``gguf``, or of the safetensors files.

    Raises: ModelUnreadableError, UnsupportedArchitectureError, InvalidRequestError, UnavailableError.
    """
    return _of_gguf(name, files, formats, gguf) if gguf else _of_safetensors(name, files, formats)


def _of_safetensors(name: str, files: Files, formats: FormatCatalog) -> Checkpoint:
    if CONFIG not in files.sizes:
        raise unreadable(files, CONFIG, "this file is needed to size the model")
    fields = _json(files, CONFIG)
    if "quantization_config" not in fields and HF_QUANT_CONFIG in files.sizes:
        fields["quantization_config"] = _json(files, HF_QUANT_CONFIG)
    tensors = _tensors(files, *_shards(files))
    if fields.get("dtype") is None and fields.get("torch_dtype") is None:
        fields |= _dtype(tensors)
    model = read_model(fields)
    storage = storage_in_files(model, formats)
    stored = [found for tensor in tensors if (found := stored_tensor(tensor, storage))]
    return Checkpoint(name=name, model=model, storage=with_headers(model, storage, stored))


def _of_gguf(name: str, files: Files, formats: FormatCatalog, first: str) -> Checkpoint:
    headers = list(files.each(partial(read_gguf_header, files), _parts(files, first)))
    metadata, tensors = headers[0].metadata, [tensor for header in headers for tensor in header.tensors]
    if not tensors:
        raise unreadable(files, first, "it holds no tensors")
    _refuse_repeated(files, first, (tensor.name for tensor in tensors))
    _refuse_other_parts(files, first, headers)
    fields = _json(files, CONFIG) if CONFIG in files.sizes else config_of(files, first, metadata, tensors)
    # Whatever a config.json beside the file says of quantization is not about this file.
    model = read_model({key: value for key, value in fields.items() if key != "quantization_config"})
    stored_as = formats.weight_format(format_of(metadata, tensors))
    storage = Storage(quantized=stored_as, plain=plain_format(model, formats), published=None)
    return Checkpoint(name=name, model=model, storage=with_headers(model, storage, stored_tensors(tensors)))


def _shards(files: Files) -> tuple[list[str], frozenset[str]]:
    """The safetensors files of the model and the tensors its index names: without one, ``model.safetensors`` or all.

    Raises: ModelUnreadableError when the index names what is not there.
    """
    named: dict[str, str] = {}
    if INDEX in files.sizes:
        named = _json(files, INDEX).get("weight_map", {})
        if not isinstance(named, dict) or not named or not all(isinstance(shard, str) for shard in named.values()):
            raise unreadable(files, INDEX, "its weight_map does not say which tensor is in which file")
        shards = sorted(set(named.values()))
        strange = next((shard for shard in shards if shard not in files.sizes), None)
        if strange is not None:
            raise unreadable(
                files, INDEX, f"it names {strange[:120]!r}, which is no file beside it", "download all files again"
            )
    elif SINGLE in files.sizes:
        shards = [SINGLE]
    else:
        shards = sorted(name for name in files.sizes if name.endswith(SAFETENSORS))
    if len(shards) > MOST_SHARDS:
        raise unreadable(files, INDEX, f"{len(shards)} files are more than the {MOST_SHARDS} that are read")
    return shards, frozenset(named)


def _tensors(files: Files, shards: Sequence[str], named: AbstractSet[str]) -> list[HeaderTensor]:
    """The tensors of all ``shards``, among them all that the index ``named``."""
    found: list[HeaderTensor] = []
    for tensors in files.each(partial(read_header, files), shards):
        found += tensors
        if len(found) > MOST_TENSORS:
            raise unreadable(files, shards[0], f"with its kin it holds more than {MOST_TENSORS} tensors")
    _refuse_repeated(files, shards[0], (tensor.name for tensor in found))
    missing = named - {tensor.name for tensor in found}
    if missing:
        raise unreadable(files, INDEX, f"it names {min(missing)[:120]!r}, which no file holds")
    return found


def _refuse_repeated(files: Files, name: str, tensors: Iterable[str]) -> None:
    ((most, times),) = Counter(tensors).most_common(1) or [("", 0)]
    if times > 1:
        raise unreadable(files, name, f"{most[:120]!r} is there and in another file too")


def _dtype(tensors: Iterable[HeaderTensor]) -> dict[str, str]:
    """The element type that most weights have, where the config does not say: as vLLM takes it from the headers."""
    held: Counter[str] = Counter()
    for tensor in tensors:
        if tensor.element.config_dtype:
            held[tensor.element.config_dtype] += tensor.count
    return {"dtype": held.most_common(1)[0][0]} if held else {}


def _gguf_model(files: Files, weight_format: WeightFormat | None) -> str:
    """The one GGUF model among ``files``, or the one of that format; of one in parts, the first."""
    models = sorted(name for name in files.sizes if name.endswith(GGUF) and not name.startswith(_PROJECTOR))
    firsts = [name for name in models if not (part := _PART.fullmatch(name)) or int(part["number"]) == 1]
    if weight_format and len(firsts) > 1:
        # Files are named for their mixture, as in model-Q4_K_M.gguf.
        mixture = weight_format.partition(":")[2]
        firsts = [name for name in firsts if re.search(rf"(?<![a-z0-9]){mixture}(?![a-z0-9_])", name.lower())]
    if len(firsts) == 1:
        return firsts[0]
    if not models:
        raise ModelUnreadableError(
            f"{files.field}: there are neither safetensors nor GGUF files",
            field=files.field,
            hint=f"it must hold {SINGLE}, or {INDEX} and what that names, or a GGUF file",
        )
    raise ModelUnreadableError(
        f"{files.field}: there are several GGUF models: {', '.join(name[:80] for name in models[:4])}",
        field=files.field,
        hint="name the file in model.path, or one of their formats as weight_format",
    )


def _parts(files: Files, first: str) -> list[str]:
    """The files of a GGUF model whose first is ``first``.

    Raises: ModelUnreadableError when one is not there.
    """
    part = _PART.fullmatch(first)
    if part is None:
        return [first]
    count = int(part["count"])
    if not 0 < count <= MOST_SHARDS:
        raise unreadable(files, first, f"{count} parts are none, or more than the {MOST_SHARDS} that are read")
    names = [f"{part['stem']}-{number:05}-of-{count:05}{GGUF}" for number in range(1, count + 1)]
    if first != names[0]:
        raise unreadable(files, first, f"it is not the first of its {count} parts", f"name {names[0]}")
    missing = next((name for name in names if name not in files.sizes), None)
    if missing is not None:
        raise unreadable(files, first, f"of its {count} parts {missing} is not there")
    return names


def _refuse_other_parts(files: Files, first: str, headers: Sequence[GgufHeader]) -> None:
    said = headers[0].metadata.get("split.count", len(headers))
    if said not in (0, len(headers)):
        raise unreadable(files, first, f"it is one of {said} parts", "name the first, with all others beside it")


def _json(files: Files, name: str) -> dict[str, Any]:
    """The JSON object in file ``name``.

    Raises: ModelUnreadableError, UnavailableError.
    """
    text = read_small(files, name, LARGEST_JSON_BYTES)
    try:
        value = json.loads(text.decode())
    except (ValueError, RecursionError) as error:
        raise unreadable(files, name, "it is not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise unreadable(files, name, "it is not a JSON object")
    return value
