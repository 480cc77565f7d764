"""What support rules read: the silicon, the formats, the engine and its release."""

from schemas.vocabulary import EngineName, KvCacheDtype
from sizing.catalog.formats import Format
from sizing.catalog.generations import Generation
from sizing.catalog.gpus import Gpu
from sizing.catalog.releases import release_number
from sizing.deployment import Deployment

from .documented_releases import documented_releases
from .facts import SupportFacts


def gather_support(deployment: Deployment, *, weight_format_is_asked: bool, engine_version: str | None) -> SupportFacts:
    """What the support of ``deployment`` is concluded from.

    Without ``engine_version`` the engine is the release that the support rules describe.
    """
    engine = deployment.engine.name
    return support_facts(
        deployment.gpu,
        deployment.weight_format,
        weight_format_is_asked=weight_format_is_asked,
        kv_cache_dtype=deployment.asked_kv_cache_dtype,
        engine=engine,
        engine_release=release_number(engine_version or documented_releases()[engine].version),
    )


def support_facts(
    silicon: Gpu | Generation,
    stored: Format,
    *,
    weight_format_is_asked: bool,
    kv_cache_dtype: KvCacheDtype,
    engine: EngineName,
    engine_release: int,
) -> SupportFacts:
    """What the support of weights as ``stored`` and a kv cache is concluded from, on ``silicon``, in an engine."""
    return SupportFacts(
        vendor=silicon.vendor,
        architecture=silicon.architecture,
        compute_capability_tens=silicon.compute_capability_tens,
        has_tensor_cores=silicon.has_tensor_cores,
        weight_format=stored.name,
        weight_format_kind=kind_of(stored),
        weight_format_is_asked=weight_format_is_asked,
        kv_cache_dtype=kv_cache_dtype,
        engine=engine,
        engine_release=engine_release,
    )


def kind_of(stored: Format) -> str:
    """The format's group; everything in a GGUF file is one, whatever its elements are."""
    container, separator, _ = stored.name.partition(":")
    return container if separator else stored.kind
