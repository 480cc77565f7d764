"""Why an alternative is one, in words."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import yaml

from schemas.recommendation import FactValue
from schemas.vocabulary import Locale

from ..facts import FactType
from ..message import Template, parse_template
from ..weigh import Weighed, leaves

_SEPARATOR: Mapping[Locale, str] = {"en": "; ", "zh": "；"}  # noqa: RUF001 - Chinese is written with it


def why(base: Weighed, other: Weighed, locale: Locale) -> str:
    """What each change from ``base`` to ``other`` brings."""
    facts = _facts(base, other)
    templates = _templates()
    said = [templates[field][locale].render(facts, locale) for field in leaves(other.changes) if field in templates]
    return _SEPARATOR[locale].join(said)


def _facts(base: Weighed, other: Weighed) -> dict[str, FactValue]:
    deployment = other.estimate.deployment
    facts: dict[str, FactValue] = {
        "weight_format": deployment.weight_format.name,
        "kv_cache_dtype": deployment.kv_cache_dtype.name,
        "max_model_len": deployment.max_model_len,
        "gpu": deployment.gpu.name,
        "gpu_count": deployment.gpu_count,
        "tensor_parallel_size": deployment.split.tensor_parallel_size,
        "pipeline_parallel_size": deployment.split.pipeline_parallel_size,
    }
    for when, weighed in (("before", base), ("after", other)):
        per_gpu, outside = weighed.estimate.per_gpu, weighed.estimate.outside
        facts |= {
            f"weights_{when}": per_gpu.weights_bytes,
            f"kv_cache_{when}": per_gpu.kv_cache_bytes,
            f"total_{when}": per_gpu.total_bytes,
            f"usable_{when}": per_gpu.usable_bytes,
            f"room_{when}": outside.room_bytes if outside else 0,
        }
    return facts


_STRINGS = ("weight_format", "kv_cache_dtype", "gpu")
_INTEGERS = (
    "max_model_len",
    "gpu_count",
    "tensor_parallel_size",
    "pipeline_parallel_size",
    *(f"{term}_{when}" for term in ("weights", "kv_cache", "total", "usable", "room") for when in ("before", "after")),
)
_DECLARED = {name: FactType(str, None) for name in _STRINGS} | {name: FactType(int, None) for name in _INTEGERS}


@cache
def _templates() -> dict[str, dict[Locale, Template]]:
    """The sentence for each field of a request that an alternative changes, as far as it needs one."""
    said: dict[str, dict[Locale, str]] = yaml.safe_load(
        files(__package__).joinpath("why.yaml").read_text(encoding="utf-8")
    )
    return {
        change: {locale: parse_template(text, _DECLARED) for locale, text in sentences.items()}
        for change, sentences in said.items()
    }
