"""Rules that ask the engine once about facts they cannot tell apart, and remember what fired.

Deployments of a catalogue differ in every byte and yet stand alike before most rules.  Each shard of the rules
remembers for itself: it reads few facts, of which few combinations come up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.recommendation import FactValue
from sizing.remembered import keep

from .conditions import Condition
from .distinctions import Distinctions
from .engine import RuleEngine
from .facts import Declared, PassName
from .shards import Shard

_REMEMBERED = 4096
"""Classes of facts whose rules a shard keeps; then it begins anew."""


class RememberedRules:
    """The rules of one pass."""

    def __init__(self, of: PassName, rules: Mapping[str, tuple[Condition, ...]], known: Declared) -> None:
        self._engine = RuleEngine(of, rules, known)
        self._shards = [_Remembering.of(shard, known) for shard in self._engine.shards]

    def fired(self, facts: Mapping[str, FactValue]) -> frozenset[str]:
        """The ids of the rules that fire on ``facts``.

        Raises: EngineError.
        """
        self._engine.check(facts)
        fired: set[str] = set()
        for place, each in enumerate(self._shards):
            if each.shard.admits(facts):
                seen = each.distinctions.class_of(facts)
                if (ids := each.fired.get(seen)) is None:
                    (fired_now,) = self._engine.fired_in(place, [facts])
                    ids = keep(each.fired, seen, fired_now, _REMEMBERED)
                fired |= ids
        return frozenset(fired)

    def close(self) -> None:
        """Gives back what the engine holds in this process."""
        self._engine.close()


@dataclass(frozen=True, slots=True)
class _Remembering:
    """A shard, and what of it fired on each class of facts."""

    shard: Shard
    distinctions: Distinctions
    fired: dict[tuple[object, ...], frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, shard: Shard, known: Declared) -> "_Remembering":
        conditions = [each for conditions in shard.rules.values() for each in conditions]
        return cls(shard, Distinctions(conditions, known))
