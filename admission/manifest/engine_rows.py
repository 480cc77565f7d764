"""How each engine is started and what its arguments say: the rows of ``engines/``."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Literal

from schemas.vocabulary import EngineName
from sizing.catalog.arguments import ArgumentName, ArgumentRow
from sizing.catalog.engines import find_engine
from sizing.catalog.rows import CLOSED, read_yaml

FILES = ("vllm", "sglang", "tensorrt-llm", "llama-cpp", "tgi")

Reads = Literal[
    "tokens",
    "count",
    "fraction",
    "switch",
    "tri_state",
    "choice",
    "wider",
    "text",
    "json",
    "more_than_one",
    "present",
    "unweighed",
]
"""How what follows a flag is read.  ``wider``: of several flags, what takes most; ``unweighed``: not at all."""

_FIELDS: Mapping[ArgumentName, str] = {
    "max_model_len": "workload.max_model_len",
    "tensor_parallel_size": "parallelism.tensor_parallel_size",
    "pipeline_parallel_size": "parallelism.pipeline_parallel_size",
    "data_parallel_size": "parallelism.data_parallel_size",
    "enable_expert_parallel": "parallelism.enable_expert_parallel",
    "expert_parallel_size": "parallelism.enable_expert_parallel",
    "kv_cache_dtype": "kv_cache_dtype",
    "gpu_memory_utilization": "engine.gpu_memory_utilization",
    "max_num_seqs": "engine.max_num_seqs",
    "max_num_batched_tokens": "engine.max_num_batched_tokens",
}
"""Fields of a request that the arguments of the catalogue set."""


@dataclass(frozen=True, kw_only=True)
class FlagRow:
    """One argument of an engine, however it is spelt."""

    __pydantic_config__ = CLOSED

    reads: Reads
    argument: ArgumentName | None = None
    """Of the catalogue, whose spellings and values then count too."""
    also: tuple[str, ...] = ()
    """Spellings that the catalogue does not have."""
    flags: tuple[str, ...] = ()
    """Spellings of an argument that the catalogue does not have."""
    sets: str = ""
    """Field of the request, or a word of ours that ``assemble`` makes one of."""
    values: dict[str, str] = field(default_factory=dict)
    """Our words by the engine's."""
    others: Literal["refused", "published"] = "refused"
    """What becomes of a value that is not listed."""
    unset: tuple[str, ...] = ()
    """Values that leave it to the engine."""
    otherwise: str = ""
    """The engine's default, where one of several flags is left out."""
    says: str = ""
    """What is assumed where it is given."""


@dataclass(frozen=True, kw_only=True)
class StartRow:
    """Words that start an engine."""

    __pydantic_config__ = CLOSED

    words: tuple[str, ...]
    takes_model: bool = False
    """Whether the model may follow without a flag."""


@dataclass(frozen=True, kw_only=True)
class ImageRow:
    """An image that has the engine in it."""

    __pydantic_config__ = CLOSED

    name: str
    """The end of its name: many keep copies in a registry of their own."""
    tag_is_version: bool = False
    """Whether the tag is the engine's release."""
    needs_command: bool = False
    """Whether nothing is served unless a command says so."""


@dataclass(frozen=True, kw_only=True)
class SpeculativeRow:
    """How an engine names what proposes tokens."""

    __pydantic_config__ = CLOSED

    key_of_model: str
    methods: dict[str, Literal["none", "own"]]
    """``none``: nothing that takes memory; ``own``: layers of the model itself."""
    source: str


@dataclass(frozen=True, kw_only=True)
class LoraRow:
    """Adapters held where no number is given."""

    __pydantic_config__ = CLOSED

    default_max_loras: int
    source: str


@dataclass(frozen=True, kw_only=True)
class EngineRows:
    """Everything that is known of an engine's command line."""

    __pydantic_config__ = CLOSED

    engine: str
    weighed_as: EngineName
    starts: tuple[StartRow, ...]
    starts_source: str
    joins: tuple[tuple[str, ...], ...]
    """Words of commands that lend GPUs to a server started elsewhere."""
    joins_source: str
    images: tuple[ImageRow, ...]
    images_source: str
    model: tuple[str, ...]
    """Flags that name the model."""
    abbreviates: bool
    """Whether the beginning of a flag is taken for it."""
    abbreviates_source: str
    default_ranks: Literal["one", "all", "stages"]
    """GPUs the engine splits a model over where nothing is said; ``stages``: all, by layers."""
    default_ranks_source: str
    default_length: Literal["model", "service"]
    """The longest sequence where none is given: all that the model's config allows, or ours."""
    default_length_source: str
    suffixes: dict[str, int]
    """What the letter after a number of tokens multiplies it by."""
    suffixes_source: str
    config: tuple[str, ...]
    """Flags that name a YAML file with more arguments."""
    config_wins: bool
    """Whether that file overrides the command line."""
    config_source: str
    flags: tuple[FlagRow, ...]
    flags_source: str
    switches: tuple[str, ...]
    """Other flags that no value follows."""
    one_value: tuple[str, ...] = ()
    """Other flags that exactly one value follows."""
    variables: dict[str, str] = field(default_factory=dict)
    """Flags by the environment variables that stand for them."""
    weighed_as_says: str = ""
    """What is assumed where the catalogue does not have the engine."""
    speculative: SpeculativeRow | None = None
    lora: LoraRow | None = None

    @cached_property
    def by_spelling(self) -> Mapping[str, FlagRow]:
        """The row of each spelling, as ``normal`` writes it."""
        return {normal(spelling): row for row in self.flags for spelling in self._spellings(row)}

    @cached_property
    def model_flags(self) -> frozenset[str]:
        """The flags that name the model, as ``normal`` writes them."""
        return frozenset(map(normal, self.model))

    @cached_property
    def config_flags(self) -> frozenset[str]:
        """The flags that name a file of arguments, as ``normal`` writes them."""
        return frozenset(map(normal, self.config))

    @cached_property
    def switch_flags(self) -> frozenset[str]:
        """Flags of which it is known that no value follows, as ``normal`` writes them."""
        return frozenset(map(normal, self.switches))

    @cached_property
    def one_value_flags(self) -> frozenset[str]:
        """Flags of which it is known that one value follows, as ``normal`` writes them."""
        return frozenset(map(normal, self.one_value))

    def field_of(self, row: FlagRow) -> str:
        """What ``row`` sets."""
        return _FIELDS[row.argument] if row.argument else row.sets

    def values_of(self, row: FlagRow) -> Mapping[str, str]:
        """Our words by the engine's, those of the catalogue included."""
        known = self._catalogued(row)
        if known is None:
            return row.values
        ours = {theirs: name for name, theirs in known.values.items()}
        return {**_SPELT_ALIKE, **ours, **row.values} if row.argument == "kv_cache_dtype" else row.values

    def _spellings(self, row: FlagRow) -> tuple[str, ...]:
        known = self._catalogued(row)
        return (*(known.flags if known else ()), *row.also, *row.flags)

    def _catalogued(self, row: FlagRow) -> ArgumentRow | None:
        if row.argument is None:
            return None
        return next(each for each in find_engine(self.weighed_as).arguments.rows if each.name == row.argument)


_SPELT_ALIKE = {"fp8": "fp8", "q8_0": "q8_0", "q4_0": "q4_0"}
"""Types of the kv cache that engines call as we do, where they have them."""


def normal(flag: str) -> str:
    """A flag with dashes for underscores, as most parsers compare them.

    >>> normal("--max_model_len")
    '--max-model-len'
    """
    return flag.replace("_", "-")


@cache
def load_engines() -> tuple[EngineRows, ...]:
    """The rows of every engine."""
    folder = files(__package__).joinpath("engines")
    return tuple(read_yaml(f"{name}.yaml", EngineRows, folder) for name in FILES)


def find_rows(name: str) -> EngineRows | None:
    """The rows of the engine called ``name``, by its own name or the catalogue's; None where there is none."""
    called = name.lower()
    return next((rows for rows in load_engines() if called in (rows.engine, rows.weighed_as)), None)
