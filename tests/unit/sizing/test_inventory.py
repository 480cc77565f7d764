"""Headers set beside the tensors of families: every model of the catalogue, laid down from its own inventory."""

import pytest

from sizing.catalog.formats import load_formats
from sizing.catalog.models import load_models
from sizing.deployment import Sizes
from sizing.inventory import with_headers
from sizing.model import Model, Tensor
from sizing.published.modules import canonical
from sizing.storage import storage_in_files
from sizing.stored import StoredTensor
from sizing.weights import Placement, weights_per_stage

from .weighing import unquantized

ONE_GPU = Sizes(tensor_parallel_size=1, pipeline_parallel_size=1, data_parallel_size=1, enable_expert_parallel=False)


def stored(tensor: Tensor, path: str) -> StoredTensor:
    """The tensor in a header, in 16 bit."""
    return StoredTensor(
        name=path,
        module=canonical(path),
        elements=tensor.num_parameters,
        shape=tensor.shape if tensor.count == 1 else (tensor.count, *tensor.shape),
        bits=16 * tensor.num_parameters,
        is_plain=True,
    )


def laid(model: Model) -> list[StoredTensor]:
    """All tensors of ``model``, layer by layer."""
    around = (*model.towers, *model.embedding, *model.output)
    return [
        *(stored(tensor, tensor.module) for tensor in around),
        *(
            stored(tensor, f"model.layers.{index}.{tensor.module}")
            for index, layer in enumerate(model.layers)
            for tensor in layer.tensors
        ),
    ]


@pytest.mark.parametrize("name", sorted(row.name for row in load_models().models if unquantized(row.name)))
def test_every_model_of_the_catalogue_is_found_in_its_own_headers(name: str) -> None:
    """Every tensor of the family finds itself, whatever its layers are called, and nothing is left over."""
    model = unquantized(name)
    assert model is not None
    storage = with_headers(model, storage_in_files(model, load_formats()), laid(model))
    assert storage.stored is not None
    assert (storage.stored.unmatched, storage.evidence) == ((), "header")
    (found,) = weights_per_stage(model, Placement(storage=storage, sizes=ONE_GPU, vocabulary_padding=1))
    assert sum(found.values()) == 2 * model.num_parameters
