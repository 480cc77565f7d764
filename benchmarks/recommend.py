"""Recommendations a second on one core, beside the parts they are made of: ``python -m benchmarks.recommend``.

As in a worker, what the first answer leaves in memory is not looked through for garbage any more.
"""

import gc
import random
import time
from collections.abc import Callable
from itertools import cycle, islice, product

from rules.recommend import encode, recommend
from schemas.errors import WeighbridgeError
from schemas.parse import decode, parse_request
from schemas.request import SizingRequest
from sizing.catalog.catalog import Catalog, load_catalog
from sizing.estimate_request import estimate

SECONDS = 3.0
MODELS = ("Qwen/Qwen3-8B", "Qwen/Qwen3-235B-A22B", "meta-llama/Llama-3.1-70B-Instruct", "Qwen/Qwen3-14B")
GPUS = ("RTX 3090", "RTX 4090", "H100-SXM-80GB", "RTX 5090")
FORMATS = (None, "fp8", "awq-int4", "nvfp4")
STRANGERS = 4000
"""Deployments of the catalogue that are asked about once, after as many others."""


def _request(model: str, gpu: str, weight_format: str | None, alternatives: int) -> SizingRequest:
    return parse_request(
        {
            "request_id": "benchmark",
            "model": {"name": model},
            "weight_format": weight_format,
            "hardware": {"gpu": gpu, "count": 4},
            "alternatives": alternatives,
        }
    )


def _requests(alternatives: int) -> list[SizingRequest]:
    return [_request(*each, alternatives) for each in product(MODELS, GPUS, FORMATS)]


def _strangers(catalog: Catalog) -> list[SizingRequest]:
    """Different deployments, of all models and GPUs, in no order."""
    models, gpus = [each.name for each in catalog.models.models], [each.name for each in catalog.gpus.gpus]
    chosen = random.Random(1).sample(list(product(models, gpus, FORMATS)), 2 * STRANGERS)  # noqa: S311 - not a secret
    return [_request(*each, 0) for each in chosen]


def _rate(work: Callable[[SizingRequest], object], requests: list[SizingRequest]) -> float:
    """Calls of ``work`` in a second of CPU time, after every request was asked once."""
    for request in requests:
        work(request)
    done, began = 0, time.process_time()
    while time.process_time() - began < SECONDS:
        for request in islice(cycle(requests), 50):
            work(request)
        done += 50
    return done / (time.process_time() - began)


def _rate_of_strangers(requests: list[SizingRequest]) -> float:
    """Recommendations in a second of CPU time, each asked for once, after the first half of the ``requests``."""
    answered = 0
    for place, request in enumerate(requests):
        if place == STRANGERS:
            answered, began = 0, time.process_time()
        try:
            recommend(request)
        except WeighbridgeError:  # the format is of no use to the model, or the model cannot be split
            continue
        answered += 1
    return answered / (time.process_time() - began)


def main() -> None:
    """Print the table."""
    catalog = load_catalog()
    plain, offering = _requests(0), _requests(5)
    recommend(plain[0])
    gc.collect()
    gc.freeze()
    rows = {
        "estimate": _rate(lambda request: estimate(request, catalog), plain),
        "recommend, no alternatives": _rate(recommend, plain),
        "recommend, no alternatives, from and to JSON": _rate(
            lambda request: encode(recommend(parse_request(decode(request.model_dump_json())))), plain
        ),
        "recommend, up to five alternatives": _rate(recommend, offering),
        "recommend, no alternatives, over the catalogue": _rate_of_strangers(_strangers(catalog)),
    }
    reference = rows["estimate"]
    print(f"{'per second of one core':48} {'rate':>8} {'to estimate':>12}")
    for name, rate in rows.items():
        print(f"{name:48} {rate:8.0f} {rate / reference:12.2f}")


if __name__ == "__main__":
    main()
