"""``weighbridge support``: what each GPU generation and each engine support."""

import json
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, TypeVar

import click

from schemas.errors import InvalidRequestError, WeighbridgeError
from schemas.vocabulary import ENGINE_NAMES, KV_CACHE_DTYPES, WEIGHT_FORMATS, EngineName, KvCacheDtype, WeightFormat

from .exit_status import BAD_INPUT

if TYPE_CHECKING:
    from rules.support_matrix import Cell, Column
    from sizing.catalog.generations import Generation

KV_CACHE = "kv-cache:"
"""Before a kv cache's type, which may have the name of a weight format."""

GGUF = "gguf"
"""Stands for every GGUF quantization."""

Name = TypeVar("Name", bound=str)


@click.command("support")
@click.option("--gpu", metavar="NAME", help="One GPU of the catalogue.")
@click.option("--compute-capability", metavar="X.Y", help="One generation, such as 8.6 or gfx942.")
@click.option("--engine", metavar="ENGINE", help="One engine, or hardware for the silicon itself.")
@click.option("--engine-version", metavar="RELEASE", help="Its release; without it, the one the rules describe.")
@click.option("--format", "name", metavar="FORMAT", help="One weight format, gguf, or kv-cache:TYPE.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, a line for every cell.")
def support(
    *,
    gpu: str | None,
    compute_capability: str | None,
    engine: str | None,
    engine_version: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Show how well formats are supported, by GPU generation and engine.

    Without options: what the silicon of each generation supports.
    """
    from rules.ruleset import load_rule_set
    from rules.support_matrix import SupportMatrix

    try:
        generations = _generations(gpu, compute_capability)
        weights, caches = _formats(name)
        if engine is None and not as_json and gpu is compute_capability is name:
            engine = "hardware"
        matrix = SupportMatrix(load_rule_set(), _releases(engine, engine_version))
        found = matrix.cells(generations, _columns(engine), weights, caches)
    except WeighbridgeError as error:
        click.echo(f"error: {error.message}\nhint: {error.hint}", err=True)
        sys.exit(BAD_INPUT)
    if as_json:
        _print_lines(found)
    else:
        from .support_picture import print_picture

        print_picture(found, matrix.releases)


def _generations(gpu: str | None, compute_capability: str | None) -> "tuple[Generation, ...]":
    from sizing.catalog.generations import find_generations, generation_of, load_generations
    from sizing.catalog.gpus import load_gpus

    if gpu is not None and compute_capability is not None:
        raise InvalidRequestError(
            "gpu: a GPU has one compute capability", field="gpu", hint="give --gpu or --compute-capability, not both"
        )
    if gpu is not None:
        return (generation_of(load_gpus().find(gpu)),)
    return load_generations() if compute_capability is None else find_generations(compute_capability)


def _columns(engine: str | None) -> "tuple[Column, ...]":
    from rules.support_matrix import COLUMNS

    return COLUMNS if engine is None else (_known(engine, COLUMNS, "engine"),)


def _formats(name: str | None) -> tuple[tuple[WeightFormat, ...], tuple[KvCacheDtype, ...]]:
    if name is None:
        return WEIGHT_FORMATS, KV_CACHE_DTYPES
    if name == GGUF:
        return tuple(each for each in WEIGHT_FORMATS if each.startswith(f"{GGUF}:")), ()
    if name.startswith(KV_CACHE):
        return (), (_known(name.removeprefix(KV_CACHE), KV_CACHE_DTYPES, "kv cache type"),)
    return (_known(name, WEIGHT_FORMATS, "format"),), ()


def _releases(engine: str | None, version: str | None) -> Mapping[EngineName, str]:
    from pydantic import ValidationError

    from schemas.request import Engine

    if version is None:
        return {}
    if engine is None or engine == "hardware":
        raise InvalidRequestError(
            "engine_version: a release is of one engine", field="engine_version", hint="name it with --engine"
        )
    name = _known(engine, ENGINE_NAMES, "engine")
    try:
        Engine(name=name, version=version)
    except ValidationError:
        raise InvalidRequestError(
            f"engine_version: {version!r} is not a release", field="engine_version", hint="write it as 0.19.0 or 9000"
        ) from None
    return {name: version}


def _known(name: str, known: Iterable[Name], what: str) -> Name:
    spelt: dict[str, Name] = {each: each for each in known}
    if name not in spelt:
        near = ", ".join(get_close_matches(name, spelt, n=3, cutoff=0))
        raise InvalidRequestError(
            f"{what}: there is none called {name!r}", field=what.replace(" ", "_"), hint=f"nearest: {near}"
        )
    return spelt[name]


def _print_lines(cells: "Iterable[Cell]") -> None:
    for cell in cells:
        line = {
            "compute_capability": cell.generation.compute_capability,
            "architecture": cell.generation.name,
            **(
                {"weight_format": cell.weight_format} if cell.weight_format else {"kv_cache_dtype": cell.kv_cache_dtype}
            ),
            "engine": cell.column,
            "level": cell.support.level,
            "effect": cell.support.effect,
            "rule": cell.support.rule,
            "source": cell.source,
        }
        click.echo(json.dumps(line, ensure_ascii=False))
