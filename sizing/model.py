"""A model as an explicit list of layers and tensors, whatever its config called them."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import Any, Literal

from .attention import Cache
from .published import PublishedFormat


class Split(Enum):
    """How tensor parallelism divides a tensor."""

    WHOLE = "whole"
    """Every rank holds all of it."""
    ROWS = "rows"
    """Output features are divided."""
    COLUMNS = "columns"
    """Input features are divided."""
    VOCABULARY = "vocabulary"
    """Rows are divided after padding."""


Part = Literal[
    "embedding",
    "attention",
    "mlp",
    "experts",
    "router",
    "norm",
    "output",
    "rotary",
    "vision",
    "audio",
    "lora",
    "draft",
    "other",
]
"""What a tensor is for; bytes are told apart by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One weight tensor, or several alike."""

    module: str
    """Module path below its layer (or below the model), as checkpoints spell it."""
    part: Part
    shape: tuple[int, ...]
    """(out_features, in_features) for a matrix, (features,) for a vector."""
    split: Split = Split.WHOLE
    heads: int = 0
    """Heads the divided side is made of, which a rank never holds a fraction of; 0 where there are none."""
    replicates_heads: bool = False
    """Whether ranks beyond the number of heads hold copies (kv heads do)."""
    is_quantizable: bool = False
    """Whether quantized formats apply to it by default."""
    count: int = 1
    """How many tensors of this shape there are: 1, the number of experts, or of a tower's layers."""
    is_table: bool = False
    """Whether each token, or position, reads one row of it and nothing multiplies by it; an embedding is one where
    the output is not tied to it."""

    @property
    def num_parameters(self) -> int:
        """Elements of all ``count`` tensors."""
        elements = self.count
        for size in self.shape:
            elements *= size
        return elements


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """One decoder layer; layers that are alike are the same object."""

    tensors: tuple[Tensor, ...]
    caches: tuple[Cache, ...]
    """What the layer keeps of a sequence; several where it attends in several ways, none where it shares
    another's or keeps nothing."""

    @property
    def num_parameters(self) -> int:
        """Parameters of the layer."""
        return sum(tensor.num_parameters for tensor in self.tensors)


NO_LAYER = Layer(tensors=(), caches=())
"""Where a model has none."""


def together(layers: Iterable[Layer], tensors: Iterable[Tensor] = ()) -> Layer:
    """``layers`` and the ``tensors`` around them as one layer."""
    several = tuple(layers)
    return Layer(
        tensors=(*(tensor for layer in several for tensor in layer.tensors), *tensors),
        caches=tuple(cache for layer in several for cache in layer.caches),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A decoder: embedding, layers, output."""

    family: str
    dtype: str
    """Element type the weights were trained and published in, as the config names it."""
    published: PublishedFormat | None
    """None for a checkpoint that is not quantized."""
    hidden_size: int
    intermediate_size: int
    """Widest feed-forward a token passes through in one layer."""
    vocab_size: int
    num_attention_heads: int
    """0 where no layer attends."""
    num_key_value_heads: int
    max_position_embeddings: int | None
    num_experts: int
    """Routed experts a layer; 0 for a dense model."""
    num_experts_per_tok: int
    tie_word_embeddings: bool
    embedding: tuple[Tensor, ...]
    """The matrix of the vocabulary, to which the output may be tied, and what else comes before the layers."""
    layers: tuple[Layer, ...]
    output: tuple[Tensor, ...]
    """Final norm and output matrix; tied output matrices are not listed again."""
    multi_token_prediction: Layer
    """What checkpoints carry for speculative decoding and servers leave out unless asked, as if it were one layer."""
    towers: tuple[Tensor, ...] = ()
    """Encoders of images or sound, and what projects their output to hidden_size."""
    rotary: tuple[Tensor, ...] = ()
    """Tables of rotary embeddings: in no checkpoint and no parameter count, and in every rank's memory."""
    layers_module: str = "model.layers"
    """Module path of the layers, as checkpoints spell it."""
    ahead_module: str = ""
    """Module path of what predicts further ahead; empty where it goes on from the layers."""
    found: dict[object, dict[Any, Any]] = field(default_factory=dict, init=False, repr=False)
    """What is remembered of it (`remembered.of_each_model`), by function and arguments."""

    @cached_property
    def multi_token_model(self) -> "Model":
        """What predicts further ahead as a model of its own; embedding and output matrix, where shared, left out."""
        before = 0 if self.ahead_module else self.num_hidden_layers
        return replace(
            self,
            embedding=(),
            layers=(*(NO_LAYER,) * before, self.multi_token_prediction),
            output=(),
            towers=(),
            rotary=(),
            layers_module=self.ahead_module or self.layers_module,
        )

    @property
    def num_hidden_layers(self) -> int:
        """Number of decoder layers."""
        return len(self.layers)

    @property
    def is_mixture_of_experts(self) -> bool:
        """Whether any layer routes tokens to experts."""
        return self.num_experts > 0

    @cached_property
    def attention_kinds(self) -> tuple[str, ...]:
        """Kinds of attention among the layers, each once, in order of appearance."""
        return tuple(dict.fromkeys(cache.kind for layer in self.layers for cache in layer.caches))

    @cached_property
    def keeps_latents(self) -> bool:
        """Whether any layer keeps latents that all heads share, which every tensor parallel rank then holds."""
        return not {"latent", "latent-window", "compressed"}.isdisjoint(self.attention_kinds)

    @cached_property
    def longest_position(self) -> int:
        """Positions the config allows, scaled rotations included; 0 where it names none."""
        return max([self.max_position_embeddings or 0, *(table.shape[0] for table in self.rotary)])

    @cached_property
    def num_parameters(self) -> int:
        """Parameters of the model, a tied output matrix counted once."""
        outside = sum(tensor.num_parameters for tensor in (*self.towers, *self.embedding, *self.output))
        return outside + sum(layer.num_parameters * count for layer, count in Counter(self.layers).items())

    @cached_property
    def num_active_parameters(self) -> int:
        """Parameters one token passes through: all but the experts it is not routed to."""
        if not self.num_experts:
            return self.num_parameters
        experts = sum(
            tensor.num_parameters * count
            for layer, count in Counter(self.layers).items()
            for tensor in layer.tensors
            if tensor.part == "experts"
        )
        return self.num_parameters - experts + experts * self.num_experts_per_tok // self.num_experts
