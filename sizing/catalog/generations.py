"""The generations of GPUs: what a GPU computes in depends on its generation alone."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from schemas.errors import InvalidRequestError

from .gpus import Gpu, load_gpus


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What GPUs of one kind have in common."""

    vendor: str
    architecture: str
    compute_capability: str
    """As the vendor writes it: ``8.6``, ``gfx942``, or empty."""
    compute_capability_tens: int
    has_tensor_cores: bool

    @property
    def name(self) -> str:
        """The architecture, and what sets the generation apart from another of its compute capability."""
        if not self.compute_capability or self.has_tensor_cores:
            return self.architecture
        others_have = self.compute_capability_tens in _capabilities_with_tensor_cores()
        return f"{self.architecture} without tensor cores" if others_have else self.architecture


def generation_of(gpu: Gpu) -> Generation:
    """The generation of ``gpu``."""
    return Generation(
        vendor=gpu.vendor,
        architecture=gpu.architecture,
        compute_capability=gpu.compute_capability,
        compute_capability_tens=gpu.compute_capability_tens,
        has_tensor_cores=gpu.has_tensor_cores,
    )


def generations(gpus: Iterable[Gpu]) -> tuple[Generation, ...]:
    """The generations of ``gpus``, each once: by vendor, then oldest compute capability first."""
    found = list(dict.fromkeys(map(generation_of, gpus)))
    vendors = list(dict.fromkeys(each.vendor for each in found))
    return tuple(
        sorted(
            found, key=lambda each: (vendors.index(each.vendor), each.compute_capability_tens, each.has_tensor_cores)
        )
    )


def load_generations() -> tuple[Generation, ...]:
    """The generations of the catalogue's GPUs."""
    return generations(load_gpus().gpus)


def find_generations(compute_capability: str) -> tuple[Generation, ...]:
    """The generations of ``compute_capability``, written as its vendor does: Turing's 7.5 has two.

    Raises: InvalidRequestError naming the nearest.
    """
    known = load_generations()
    found = tuple(each for each in known if each.compute_capability == compute_capability.lower())
    if not found or not compute_capability:
        spelt = list(dict.fromkeys(each.compute_capability for each in known if each.compute_capability))
        near = difflib.get_close_matches(compute_capability, spelt, n=3, cutoff=0)
        raise InvalidRequestError(
            f"compute_capability: no GPU of the catalogue has {compute_capability!r}",
            field="compute_capability",
            hint=f"nearest: {', '.join(near)}",
        )
    return found


@cache
def _capabilities_with_tensor_cores() -> frozenset[int]:
    return frozenset(gpu.compute_capability_tens for gpu in load_gpus().gpus if gpu.has_tensor_cores)
