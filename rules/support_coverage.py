"""Whether the support rules conclude something of everything the catalogue can be asked about."""

from collections.abc import Iterable, Iterator
from itertools import product

from schemas.vocabulary import ENGINE_NAMES, KV_CACHE_DTYPES, EngineName
from sizing.catalog.formats import load_formats
from sizing.catalog.generations import load_generations
from sizing.catalog.releases import release_number

from .documented_releases import documented_releases
from .evaluate import flat
from .facts import SupportFacts, declared
from .gather_support import support_facts
from .remembered import RememberedRules
from .rule import SupportRule
from .support_levels import SupportNotConcludedError, conclude_support


def every_combination(rules: Iterable[SupportRule]) -> Iterator[SupportFacts]:
    """Every GPU generation x weight format, asked for or not, x kv cache type x engine and release that counts."""
    formats = list(product(load_formats().weights.values(), (True, False)))
    engines = [(name, release) for name, several in _releases(rules).items() for release in several]
    for generation, (stored, is_asked), dtype, (engine, release) in product(
        load_generations(), formats, KV_CACHE_DTYPES, engines
    ):
        yield support_facts(
            generation,
            stored,
            weight_format_is_asked=is_asked,
            kv_cache_dtype=dtype,
            engine=engine,
            engine_release=release,
        )


def first_gap(rules: Iterable[SupportRule]) -> str | None:
    """Something of which ``rules`` do not conclude everything, in words; None when there is nothing."""
    by_id = {rule.id: rule for rule in rules}
    remembered = RememberedRules("support", {name: rule.when for name, rule in by_id.items()}, declared("support"))
    conclusive: set[frozenset[str]] = set()
    try:
        for facts in map(flat, every_combination(by_id.values())):
            if (fired := remembered.fired(facts)) in conclusive:
                continue
            try:
                conclude_support(by_id[rule] for rule in fired)
                conclusive.add(fired)
            except SupportNotConcludedError as error:
                return f"{error} where {', '.join(f'{name} is {value}' for name, value in facts.items())}"
    finally:
        remembered.close()
    return None


def _releases(rules: Iterable[SupportRule]) -> dict[EngineName, list[int]]:
    """For every engine the release the rules describe, and those around each bound that one of its rules names."""
    bounds: dict[EngineName, set[int]] = {
        name: {0, release_number(each.version)} for name, each in documented_releases().items()
    }
    for rule in rules:
        engines = {each.operand for each in rule.when if each.fact == "engine"}
        for condition in rule.when:
            if condition.fact == "engine_release" and isinstance(condition.operand, int):
                for name in ENGINE_NAMES:
                    bounds[name] |= {condition.operand - 1, condition.operand} if name in engines else set()
    return {name: sorted(bounds[name]) for name in ENGINE_NAMES}
