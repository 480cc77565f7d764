"""What tensors of safetensors files are called, and how much of each an engine keeps."""

from sizing.catalog.safetensors import load_safetensors
from sizing.published.modules import canonical
from sizing.storage import Storage
from sizing.stored import StoredTensor

from .safetensors import HeaderTensor


def stored_tensor(tensor: HeaderTensor, storage: Storage) -> StoredTensor | None:
    """``tensor`` as part of a checkpoint that its config calls ``storage``; None for what engines do not load.

    Weights that are not quantized are kept in the type the model is served in where that is narrower.
    """
    catalog = load_safetensors()
    if tensor.name.endswith(catalog.not_loaded):
        return None
    ending, element = catalog.ending(tensor.name), tensor.element
    bits = element.bits if ending.served_bits is None else ending.served_bits
    elements, is_packed = tensor.count, element.kind == "packed" and not ending.is_beside
    if ending.is_beside or element.kind == "other":
        elements = 0
        if ending.is_order:
            bits = storage.quantized.order_bits if storage.quantized.is_reordered else 0
    elif is_packed:
        elements = tensor.count * bits // storage.quantized.bits
    elif element.kind == "float":
        bits = min(bits, storage.plain.bits)
    return StoredTensor(
        name=tensor.name,
        module=canonical(tensor.name[: len(tensor.name) - len(ending.ending)] + ending.becomes),
        elements=elements,
        shape=tensor.shape,
        is_packed=is_packed,
        bits=tensor.count * bits,
        is_plain=element.kind == "float",
    )
