"""Rules that read nothing but facts that recur: what fires is remembered for each combination of those.

A fact that recurs takes few values in all requests together (`facts.FactType.recurs`): names, verdicts, how many GPUs,
but no bytes and nothing of a site's own.  Other requests for other models meet the same ones again.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from schemas.recommendation import FactValue

from .conditions import Condition
from .engine import RuleEngine
from .facts import Declared, PassName

_REMEMBERED = 8192
"""Combinations whose rules are kept."""


def recurs(conditions: Iterable[Condition], known: Declared) -> bool:
    """Whether all facts that ``conditions`` read recur."""
    return all(known[name].recurs for condition in conditions for name in condition.facts_read)


class RecurringRules:
    """Rules of one pass that read only facts that recur."""

    def __init__(self, of: PassName, rules: Mapping[str, tuple[Condition, ...]], known: Declared) -> None:
        self._reads = sorted({name for conditions in rules.values() for each in conditions for name in each.facts_read})
        self._engine = RuleEngine(of, rules, known)
        # Typed, since True is 1 and the engine is to refuse the one for the other.
        self._fired = lru_cache(maxsize=_REMEMBERED, typed=True)(self._ask)

    def fired(self, facts: Mapping[str, FactValue]) -> frozenset[str]:
        """The ids of the rules that fire on ``facts``.

        Raises: EngineError.
        """
        return self._fired(*map(facts.__getitem__, self._reads))

    def close(self) -> None:
        """Gives back what the engine holds in this process."""
        self._engine.close()

    def _ask(self, *told: FactValue) -> frozenset[str]:
        (fired,) = self._engine.fired([dict(zip(self._reads, told, strict=True))])
        return fired
