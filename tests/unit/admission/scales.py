"""Answers of the length that a decision needs, written by hand, and a reader that finds what it is told to."""

from collections.abc import Callable, Mapping
from typing import Any

from admission.context import Read
from admission.manifest.reading import ModelServer, Reading, Surroundings
from rules.recommend import answer
from schemas.errors import WeighbridgeError
from schemas.recommendation import Alternative, ErrorAnswer, PerGpu, Recommendation

GIB = 2**30

SMALL: Mapping[str, Any] = {
    "model": {"num_parameters": 8_000_000_000},
    "weight_format": "bf16",
    "hardware": {"gpu": "RTX 4090", "count": 1},
    "alternatives": 0,
}


def per_gpu(total_bytes: int, usable_bytes: int) -> PerGpu:
    """A need, all of it weights."""
    return PerGpu(
        total_bytes=total_bytes,
        usable_bytes=usable_bytes,
        weights_bytes=total_bytes,
        kv_cache_bytes=0,
        activation_bytes=0,
        overhead_bytes=0,
        headroom_bytes=usable_bytes - total_bytes,
    )


def alternative(changes: dict[str, Any], verdict: str = "fits", arguments: tuple[str, ...] = ()) -> Alternative:
    """An alternative of that many changes."""
    return Alternative.model_validate(
        {
            "changes": changes,
            "arguments": list(arguments),
            "why": "because",
            "verdict": verdict,
            "per_gpu": per_gpu(10 * GIB, 20 * GIB),
            "kv_cache": None,
            "findings": [],
        }
    )


def recommendation(verdict: str, *alternatives: Alternative, needs: int = 30, usable: int = 20) -> Recommendation:
    """A recommendation with that verdict, of GiB."""
    real = answer(SMALL)
    assert isinstance(real, Recommendation)
    told = {
        "verdict": verdict,
        "per_gpu": per_gpu(needs * GIB, usable * GIB),
        "alternatives": list(alternatives),
        "nearest_miss": None,
        "outside_budget": None,
        "findings": [],
    }
    return real.model_copy(update=told)


def error(of: type[WeighbridgeError], field: str | None = None) -> ErrorAnswer:
    """An answer that tells of an error."""
    return ErrorAnswer.of("id", of("it is so", field=field, hint="mend it"))


def reading(*containers: str, bypass: str | None = None) -> Read:
    """A reader that finds a model server in each of ``containers``."""
    servers = [ModelServer(container=each, request=SMALL) for each in containers]

    def read(object: Mapping[str, Any], surroundings: Surroundings) -> Reading:  # noqa: A002 - Kubernetes' word
        del object, surroundings
        return Reading(servers=servers, bypass=bypass)

    return read


def always(
    told: Recommendation | ErrorAnswer | Exception,
) -> Callable[[Mapping[str, Any]], Recommendation | ErrorAnswer]:
    """Scales that always tell the same, or fail the same way."""

    def weigh(request: Mapping[str, Any]) -> Recommendation | ErrorAnswer:
        del request
        if isinstance(told, Exception):
            raise told
        return told

    return weigh
