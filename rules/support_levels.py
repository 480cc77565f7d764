"""How well a deployment is supported, from the support rules that fired."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from schemas.recommendation import Support, SupportOf
from schemas.vocabulary import SupportLevel

from .rule import Effect, Subject, SupportRule

LEVELS: tuple[SupportLevel, ...] = get_args(SupportLevel)
"""Best first."""

EFFECTS: tuple[Effect, ...] = get_args(Effect)
"""Most gained first."""


class SupportNotConcludedError(RuntimeError):
    """No rule says how well something is supported: the rule set has a gap."""


@dataclass(frozen=True, kw_only=True)
class SupportConclusions:
    """What was concluded, and by which rules."""

    weights: SupportOf
    kv_cache: SupportOf
    engine: SupportOf
    weights_by_hardware: SupportOf
    """How well the GPU alone supports the weight format."""
    kv_cache_by_hardware: SupportOf
    """How well the GPU alone supports the kv cache's type."""
    refusals: tuple[SupportRule, ...]
    """The rules for which the deployment does not run, in order of their ids."""
    fired: tuple[SupportRule, ...]
    """Every rule that told something, in order of their ids."""

    @cached_property
    def level(self) -> SupportLevel:
        """The worst level of all subjects."""
        subjects = (self.weights, self.kv_cache, self.engine)
        return max((each.level for each in subjects), key=LEVELS.index)

    @cached_property
    def shown(self) -> Support:
        """As the recommendation shows it."""
        return Support(weights=self.weights, kv_cache=self.kv_cache, engine=self.engine)


def conclude_support(fired: Iterable[SupportRule]) -> SupportConclusions:
    """For each subject the worst level, then the least effect, then the first id: order never matters.

    Where the engine does not run, neither weights nor kv cache are supported in it, for the engine's reason.

    Raises: SupportNotConcludedError.
    """
    rules = tuple(sorted(fired, key=lambda rule: rule.id))
    engine = _worst(rules, "engine")
    runs = engine.conclusion.level != "unsupported"
    judged: tuple[Subject, ...] = ("weights", "kv_cache") if runs else ("engine",)
    return SupportConclusions(
        weights=_shown(_worst(rules, "weights") if runs else engine),
        kv_cache=_shown(_worst(rules, "kv_cache") if runs else engine),
        engine=_shown(engine),
        weights_by_hardware=_shown(_worst(rules, "weights_by_hardware")),
        kv_cache_by_hardware=_shown(_worst(rules, "kv_cache_by_hardware")),
        refusals=tuple(
            rule for rule in rules if rule.conclusion.level == "unsupported" and any(map(rule.tells_of, judged))
        ),
        fired=rules,
    )


def _worst(rules: Iterable[SupportRule], subject: Subject) -> SupportRule:
    told = [rule for rule in rules if rule.tells_of(subject)]
    if not told:
        raise SupportNotConcludedError(f"no support rule tells about {subject}")
    return min(told, key=lambda rule: (*_rank(rule), rule.id))


def _shown(rule: SupportRule) -> SupportOf:
    return SupportOf(level=rule.conclusion.level, effect=rule.conclusion.effect, rule=rule.id)


def _rank(rule: SupportRule) -> tuple[int, int]:
    """Worst first."""
    return -LEVELS.index(rule.conclusion.level), -EFFECTS.index(rule.conclusion.effect)
