"""The engines: what holds for all releases of one, and its profiles."""

from dataclasses import dataclass
from functools import cache, lru_cache

from schemas.vocabulary import EngineName

from .arguments import Arguments
from .profile import Profile
from .releases import version_key
from .rows import CLOSED, read_yaml
from .sourced import FlagRow, IntegerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class LoraRow:
    """How an engine holds LoRA adapters: room for the highest rank at every matrix that an adapter may change."""

    __pydantic_config__ = CLOSED

    default_max_lora_rank: int
    bits: int
    """Bits of an element of an adapter."""
    experts_from: str | None = None
    """Release from which the experts' matrices have adapters too; None where they have none."""
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCatalogRow:
    """An engine and its profiles, oldest first."""

    __pydantic_config__ = CLOSED

    engine: EngineName
    default_version: str
    """What a request that names no release stands for."""
    vocabulary_padding: IntegerRow
    block_size: IntegerRow
    keeps_rotary_tables: FlagRow
    """Whether each rank holds the cosines and sines of every position."""
    keeps_tables_in_host_memory: FlagRow
    """Whether tables of which each token reads one row, such as the embedding, stay off the GPU."""
    gives_gpus_whole_layers: FlagRow
    """Whether GPUs that a request does not say how to use become pipeline stages, rather than tensor parallel ranks."""
    dp_attention: FlagRow
    """Whether tensor-parallel ranks can divide sequences between them in attention."""
    lora: LoraRow | None = None
    """None where adapters are not weighed."""
    arguments: Arguments
    profiles: tuple[Profile, ...]

    def profile(self, version: str, compute_capability_tens: int) -> tuple[Profile, bool]:
        """The profile that holds ``version`` on such a GPU, or the one before it, and whether it was measured."""
        about = [
            (each, profile)
            for profile in self.profiles
            for each in profile.versions
            if each.applies(compute_capability_tens)
        ]
        for each, profile in about:
            if each.holds(version):
                return profile, profile.is_measured
        older = [profile for each, profile in about if version_key(each.first) <= version_key(version)]
        return (older[-1] if older else about[0][1]), False


ENGINES: tuple[EngineName, ...] = ("vllm", "sglang", "tensorrt-llm", "llama.cpp", "transformers")


@cache
def load_engines() -> dict[EngineName, EngineCatalogRow]:
    """The engines whose memory behaviour is known."""
    rows = (read_yaml(f"engines/{name.replace('.', '-')}.yaml", EngineCatalogRow) for name in ENGINES)
    return {row.engine: row for row in rows}


def find_engine(name: EngineName) -> EngineCatalogRow:
    """The engine called ``name``."""
    return load_engines()[name]


@lru_cache(maxsize=1024)
def find_profile(name: EngineName, version: str, compute_capability_tens: int) -> tuple[Profile, bool]:
    """The profile of a release of ``name`` on such a GPU, and whether that release was measured."""
    return find_engine(name).profile(version, compute_capability_tens)
