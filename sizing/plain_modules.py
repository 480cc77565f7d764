"""Which matrices of a model stay as they are where the rest is quantized."""

from collections.abc import Hashable
from itertools import groupby

from .model import Layer, Model, Tensor
from .remembered import of_each_model
from .storage import Storage, kinds_of_layers


@of_each_model
def plain_modules(model: Model, storage: Storage) -> tuple[str, ...]:
    """Module paths of the matrices that are not quantized, those of the layers once each with the layers' numbers.

    A star stands for all layers that have the module; empty where nothing is quantized.
    """
    if not storage.quantized.is_quantized:
        return ()
    around = (*model.towers, *model.embedding, *model.output)
    found = [tensor.module for tensor in around if _is_plain(storage, tensor, tensor.module)]
    having: dict[str, list[int]] = {}
    plain: dict[str, list[int]] = {}
    known: dict[tuple[Layer, Hashable], list[bool]] = {}
    for index, alike in enumerate(zip(model.layers, kinds_of_layers(model, storage), strict=True)):
        layer, _ = alike
        if alike not in known:
            known[alike] = [
                _is_plain(storage, tensor, f"{model.layers_module}.{index}.{tensor.module}") for tensor in layer.tensors
            ]
        for tensor, is_plain in zip(layer.tensors, known[alike], strict=True):
            having.setdefault(tensor.module, []).append(index)
            if is_plain:
                plain.setdefault(tensor.module, []).append(index)
    for module, indices in plain.items():
        which = "*" if indices == having[module] else _spans(indices)
        found.append(f"{model.layers_module}.{which}.{module}")
    return tuple(found)


def _is_plain(storage: Storage, tensor: Tensor, module: str) -> bool:
    return len(tensor.shape) > 1 and not storage.format_of(tensor, module).is_quantized


def _spans(indices: list[int]) -> str:
    """Numbers in ascending order, runs of them as first-last.

    >>> _spans([0, 1, 2, 7])
    '0-2,7'
    """
    spans = []
    for _, run in groupby(enumerate(indices), key=lambda item: item[1] - item[0]):
        numbers = [index for _, index in run]
        spans.append(str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}-{numbers[-1]}")
    return ",".join(spans)
