"""Estimates a second of one core, for every model of the catalogue: ``python -m benchmarks.estimate [NAME ...]``.

*warm*: the model named, and asked for before.  *cold*: its config in the request, another copy each time, so that
nothing is known of it; both from decoded JSON to the estimate.  *json.loads* of the same config is timed in turns with
them: what anything that is handed a config has to spend before it can begin, and a measure of the machine.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from schemas.errors import WeighbridgeError
from schemas.parse import parse_request
from sizing.catalog.catalog import load_catalog
from sizing.catalog.models import load_models
from sizing.estimate_request import estimate

SECONDS = 0.2
"""Processor seconds spent on each model."""
BATCH = 5
"""Calls timed together."""
FEWEST_BATCHES = 5
SLOWEST = 10
LEAST = {"warm": 5000, "cold": 300}
"""Estimates a second that no model is to stay below."""

Argument = TypeVar("Argument")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Calls in a second of processor time."""

    model: str
    warm: float
    cold: float
    json_loads: float


def measure(name: str, seconds: float) -> Rates:
    """Rates of the catalogue model called ``name``: of each, the median batch, all three taking turns.

    Raises: WeighbridgeError when it cannot be sized.
    """
    catalog = load_catalog()
    # A few published configs have infinities, which a request cannot carry.
    text = json.dumps(json.loads(json.dumps(load_models().find(name).config()), parse_constant=lambda _: None))

    def answer(request: dict[str, Any]) -> object:
        return estimate(parse_request(request), catalog)

    by_name = _request({"name": name})
    answer(by_name)
    taken: dict[str, list[float]] = {"warm": [], "cold": [], "json_loads": []}
    while len(taken["cold"]) < FEWEST_BATCHES or sum(map(sum, taken.values())) * BATCH < seconds:
        taken["json_loads"].append(_seconds_a_call(json.loads, [text] * BATCH))
        taken["cold"].append(_seconds_a_call(answer, [_request({"config": json.loads(text)}) for _ in range(BATCH)]))
        taken["warm"].append(_seconds_a_call(answer, [by_name] * BATCH))
    return Rates(model=name, **{kind: 1 / statistics.median(batches) for kind, batches in taken.items()})


def _request(model: dict[str, Any]) -> dict[str, Any]:
    return {"model": model, "hardware": {"gpu": "H100-SXM-80GB"}, "parallelism": {"tensor_parallel_size": 1}}


def _seconds_a_call(work: Callable[[Argument], object], arguments: Sequence[Argument]) -> float:
    """Processor seconds of one call of ``work``."""
    began = time.process_time()
    for argument in arguments:
        work(argument)
    return (time.process_time() - began) / len(arguments)


def _print_slowest(measured: list[Rates], kind: str) -> None:
    rates = {each.model: getattr(each, kind) for each in measured}
    below = sum(rate < LEAST[kind] for rate in rates.values())
    print(f"\n{kind}: {statistics.median(rates.values()):,.0f} a second in the middle of {len(rates)} models, ", end="")
    print(f"{below} below {LEAST[kind]:,}; the slowest:")
    print(f"  {'model':54} {kind:>8} {'json.loads':>11} {'ratio':>7}")
    for each in sorted(measured, key=lambda each: rates[each.model])[:SLOWEST]:
        ratio = each.json_loads / rates[each.model]
        print(f"  {each.model:54} {rates[each.model]:8,.0f} {each.json_loads:11,.0f} {ratio:7.2f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimate", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models of the catalogue; all when none is named")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="processor seconds spent on each model")
    asked = parser.parse_args()
    measured: list[Rates] = []
    for name in asked.names or [row.name for row in load_models().models]:
        try:
            measured.append(measure(name, asked.seconds))
        except WeighbridgeError as error:
            print(f"{name}: not sized: {error}")
    for kind in LEAST:
        _print_slowest(measured, kind)


if __name__ == "__main__":
    main()
