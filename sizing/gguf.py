"""Which ggml type each tensor of a model gets in a GGUF file.

Source: llama.cpp, src/llama-quant.cpp: llama_tensor_get_type_impl, tensor_type_fallback.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from .catalog.gguf import Block, Mixture, ModelShape, load_gguf
from .model import Model, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufTypes:
    """A mixture applied to a model of one shape."""

    mixture: Mixture
    shape: ModelShape

    def block_of(self, tensor: Tensor, module: str) -> Block:
        """How ``tensor``, whose whole path is ``module``, is stored."""
        return load_gguf().block(self._type(tensor, module), tensor.shape[-1])

    def kinds_of_layers(self, count: int) -> list[Hashable]:
        """For the first ``count`` layers, what their place has to do with types: alike where that is equal."""
        sets = [load_gguf().layers[rule.layers] for rule in self.mixture.tensors if rule.layers]
        return [tuple(each.holds(index, self.shape.num_layers) for each in sets) for index in range(count)]

    def _type(self, tensor: Tensor, module: str) -> str:
        mixture, parts = self.mixture, module.split(".")
        if len(tensor.shape) == 1 or tensor.part in ("norm", "router") or parts[-1] == "conv1d":
            return "f32"
        if tensor.part in ("vision", "audio"):
            return "f16"
        if parts[-1] in (untouched := load_gguf().untouched):
            return untouched[parts[-1]]
        if tensor.part == "output" or (tensor.part == "embedding" and self.shape.is_tied):
            return mixture.output
        if tensor.part == "embedding":
            return mixture.embedding or mixture.type
        return self._type_in_layer(parts)

    def _type_in_layer(self, parts: list[str]) -> str:
        catalog = load_gguf()
        kind = catalog.kinds.get(parts[-1])
        index = next((int(part) for part in parts if part.isdigit()), 0)
        for rule in self.mixture.tensors:
            layers = catalog.layers[rule.layers] if rule.layers else None
            if (
                kind in rule.kinds
                and rule.suits(self.shape)
                and (layers is None or layers.holds(index, self.shape.num_layers))
            ):
                return rule.type
        return self.mixture.type


def gguf_types(mixture: Mixture, model: Model) -> GgufTypes:
    """``mixture`` applied to ``model``."""
    shape = ModelShape(
        num_layers=model.num_hidden_layers,
        num_experts=model.num_experts,
        queries_per_key=model.num_attention_heads // max(model.num_key_value_heads, 1),
        is_tied=model.tie_word_embeddings,
    )
    return GgufTypes(mixture=mixture, shape=shape)
