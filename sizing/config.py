"""Reading a config.json: aliases translated once, every missing or impossible field named."""

from collections.abc import Mapping
from typing import Any

from schemas.errors import ModelUnreadableError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "hidden_size": ("n_embd", "d_model"),
    "num_hidden_layers": ("n_layer", "num_layers"),
    "num_attention_heads": ("n_head",),
    "num_key_value_heads": ("num_kv_heads",),
    "intermediate_size": ("ffn_dim", "n_inner"),
    "max_position_embeddings": ("n_positions", "max_sequence_length", "seq_length"),
    "num_experts": ("num_local_experts", "n_routed_experts", "moe_num_experts"),
    "num_experts_per_tok": ("moe_k", "moe_top_k", "num_experts_per_token", "top_k_experts"),
    "num_shared_experts": ("n_shared_experts", "moe_num_shared_experts"),
    "num_channels": ("in_channels", "in_chans"),
    "num_nextn_predict_layers": ("mtp_num_hidden_layers",),
    "dtype": ("torch_dtype",),
    "head_dim": ("attention_head_dim",),
    "conv_kernel": ("linear_conv_kernel_dim", "mamba_d_conv"),
    "ssm_state_size": ("state_size", "mamba_d_state"),
    "time_step_rank": ("mamba_dt_rank",),
    "use_bias": ("mamba_proj_bias",),
    "mamba_conv_bias": ("use_conv_bias",),
    "mamba_num_heads": ("mamba_n_heads",),
    "mamba_head_dim": ("mamba_d_head",),
    "mamba_n_groups": ("n_groups",),
    "mamba_ssm_dtype": ("mamba_ssm_cache_dtype",),
}
"""Other names that published configs use for a field."""

LARGEST = {
    "hidden_size": 2**20,
    "num_hidden_layers": 2**9,
    "num_attention_heads": 2**14,
    "vocab_size": 2**24,
    "num_experts": 2**14,
    "num_nextn_predict_layers": 2**4,
    "spatial_merge_size": 2**6,
    "pooling_kernel_size": 2**6,
    "patch_size": 2**10,
    "hc_mult": 2**6,
}
"""Bounds of fields that sizing loops over, multiplies or squares, each three times what is published or more; a
config beyond them is not a model."""
LARGEST_OTHER = 2**24

LONGEST = {
    "deepstack_visual_indexes": 2**8,
    "merge_kernel_size": 2**2,
}
"""Items of lists that sizing makes tensors for, or multiplies."""
LONGEST_OF_INTEGERS = 2**10
"""One for each layer, or for some."""
LONGEST_OTHER = 2**17
"""A mixture of thousands of experts names each of them as not quantized."""


class Config:
    """A config.json whose fields are asked for by their usual name."""

    def __init__(self, fields: Mapping[str, Any], *, path: str = "model.config") -> None:
        self._fields = fields
        self._path = path

    def has(self, name: str) -> bool:
        """Whether the field, or an alias of it, is there and not null."""
        return self._find(name) is not None

    def integer(self, name: str, default: int | None = None) -> int:
        """The positive integer of field ``name``.

        Raises: ModelUnreadableError when it is absent without a default, not an integer, or out of bounds.
        """
        value = self._find(name)
        if value is None:
            if default is None:
                raise ModelUnreadableError(
                    f"{self._path}.{name}: this field is needed to size the model",
                    field=f"{self._path}.{name}",
                    hint="add it as the published config.json has it",
                )
            return default
        largest = LARGEST.get(name, LARGEST_OTHER)
        if type(value) is not int or not 0 < value <= largest:
            raise ModelUnreadableError(
                f"{self._path}.{name}: {_short(value)} is not an integer from 1 to {largest}",
                field=f"{self._path}.{name}",
                hint="correct it to what the published config.json has",
            )
        return value

    def group_size(self) -> int | None:
        """The ``group_size`` of a quantization; None where it is absent or, as -1, the whole row.

        Raises: ModelUnreadableError when it is something else.
        """
        return None if self._find("group_size") in (None, -1) else self.integer("group_size")

    @property
    def spelling(self) -> str:
        """The fields as text, the same for objects that say the same in the same order."""
        return repr(self._fields)

    def names(self) -> tuple[str, ...]:
        """The names of all fields."""
        return tuple(self._fields)

    def alike(self) -> list[list[str]]:
        """The names of all fields, those together whose values are equal."""
        found: dict[str, list[str]] = {}
        for name, value in self._fields.items():
            found.setdefault(repr(value), []).append(name)
        return list(found.values())

    def count(self, name: str) -> int:
        """The integer of field ``name``, where 0, null and absence all mean none."""
        return 0 if self._find(name) in (None, 0) else self.integer(name)

    def number(self, name: str, default: float | None = None) -> float:
        """The positive number of field ``name``.

        Raises: ModelUnreadableError when it is absent without a default, something else, or out of bounds.
        """
        value = self._find(name)
        if value is None and default is not None:
            return default
        if type(value) not in (int, float) or not 0 < value <= LARGEST_OTHER:
            raise self.unreadable(name, f"{_short(value)} is not a number above 0 and up to {LARGEST_OTHER}")
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """The boolean of field ``name``.

        Raises: ModelUnreadableError when it is something else.
        """
        value = self._find(name)
        if value is None:
            return default
        if type(value) is not bool:
            raise ModelUnreadableError(
                f"{self._path}.{name}: {_short(value)} is neither true nor false",
                field=f"{self._path}.{name}",
            )
        return value

    def text(self, name: str, default: str) -> str:
        """The string of field ``name``.

        Raises: ModelUnreadableError when it is something else.
        """
        value = self._find(name)
        if value is None:
            return default
        if type(value) is not str:
            raise ModelUnreadableError(
                f"{self._path}.{name}: {_short(value)} is not a string", field=f"{self._path}.{name}"
            )
        return value

    def integers(self, name: str) -> tuple[int, ...]:
        """The list of integers of field ``name``; empty when absent.

        Raises: ModelUnreadableError when it is something else, too long, or an integer is out of bounds.
        """
        items = self._list(name, "integers", longest=LONGEST_OF_INTEGERS)
        for item in items:
            if type(item) is not int or not -LARGEST_OTHER <= item <= LARGEST_OTHER:
                why = f"{_short(item)} in it is not an integer from {-LARGEST_OTHER} to {LARGEST_OTHER}"
                raise self.unreadable(name, why)
        return tuple(items)

    def strings(self, name: str) -> tuple[str, ...]:
        """The list of strings of field ``name``; empty when absent.

        Raises: ModelUnreadableError when it is something else, or too long.
        """
        items = self._list(name, "strings")
        for item in items:
            if type(item) is not str:
                raise self.unreadable(name, f"{_short(item)} in it is not a string")
        return tuple(items)

    def length(self, name: str) -> int:
        """How many entries the list of field ``name`` has.

        Raises: ModelUnreadableError when it is absent, something else, or too long.
        """
        if not self.has(name):
            raise self.unreadable(name, "this list is needed to size the model")
        return len(self._list(name, "any values"))

    def section(self, name: str) -> "Config | None":
        """The nested object of field ``name``; None when absent.

        Raises: ModelUnreadableError when it is something else.
        """
        value = self._find(name)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise ModelUnreadableError(
                f"{self._path}.{name}: {_short(value)} is not an object", field=f"{self._path}.{name}"
            )
        return Config(value, path=f"{self._path}.{name}")

    def with_defaults(self, defaults: Mapping[str, Any]) -> "Config":
        """The same config, with fields that its class fills in where a file leaves them out."""
        absent = {name: value for name, value in defaults.items() if not self.has(name)}
        return Config({**self._fields, **absent}, path=self._path)

    def part(self, name: str, *, inherits: tuple[str, ...] = ()) -> "Config":
        """The nested object of field ``name``, with the fields it ``inherits`` from this one where it has none.

        Raises: ModelUnreadableError when it is absent, or something else.
        """
        section = self.section(name)
        if section is None:
            raise self.unreadable(name, "this object is needed to size the model")
        return section.with_defaults({field: self._find(field) for field in inherits if self.has(field)})

    def sections(self, name: str) -> "tuple[Config, ...]":
        """The objects of the list of field ``name``; empty when absent.

        Raises: ModelUnreadableError when it is something else, or too long.
        """
        items = self._list(name, "objects")
        for item in items:
            if not isinstance(item, Mapping):
                raise self.unreadable(name, f"{_short(item)} in it is not an object")
        return tuple(Config(item, path=f"{self._path}.{name}[{place}]") for place, item in enumerate(items))

    def unreadable(self, name: str, why: str, hint: str | None = None) -> ModelUnreadableError:
        """The error that says why field ``name`` cannot be sized."""
        field = f"{self._path}.{name}"
        return ModelUnreadableError(f"{field}: {why}", field=field, hint=hint)

    def itself_unreadable(self, why: str) -> ModelUnreadableError:
        """The error that says why this object as a whole cannot be sized."""
        return ModelUnreadableError(f"{self._path}: {why}", field=self._path)

    def _list(self, name: str, of: str, *, longest: int = LONGEST_OTHER) -> list[Any]:
        """The list of field ``name``, no longer than it may be; empty when absent."""
        value = self._find(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.unreadable(name, f"{_short(value)} is not a list of {of}")
        longest = LONGEST.get(name, longest)
        if len(value) > longest:
            raise self.unreadable(name, f"a list of {len(value)} is longer than {longest}")
        return value

    def _find(self, name: str) -> Any:  # noqa: ANN401 - untyped until one of the readers above has looked at it
        value = self._fields.get(name)
        if value is None and name in ALIASES:
            for spelling in ALIASES[name]:
                value = self._fields.get(spelling)
                if value is not None:
                    break
        return value


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."  # noqa: PLR2004 - a line's worth
