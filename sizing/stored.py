"""What the headers of a checkpoint's files say of its tensors, set beside what its config says."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """One tensor of a checkpoint, as its header describes it."""

    name: str
    """As the file calls it."""
    module: str
    """Canonical path of the module it belongs to; a bias is one by itself."""
    elements: int
    """Weights it holds; 0 for what only accompanies them."""
    shape: tuple[int, ...]
    is_packed: bool = False
    """Whether words hold several weights, as many as the format's bits say."""
    bits: int
    """What an engine keeps of it."""
    is_plain: bool
    """Whether its weights are not quantized."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stored:
    """How each module of a model is stored, where that is not what the config says."""

    is_plain: Mapping[str, bool]
    """Whether the weights of a module, by its path, are not quantized."""
    per_expected: Mapping[str, Fraction]
    """Bits that the headers have for a module over those its format would take; absent where they are the same."""
    unmatched: tuple[str, ...] = ()
    """Tensors that no tensor of the family is."""
    unmatched_bytes: int = 0
    """What of them is not counted with the family's."""
