"""Rules spread over groups: small enough for the engine's bounds, and gated so that few of them meet a fact.

A gate is a plain equality that every rule of its group needs.  It is looked at before the engine is asked, so that
a fact meets the rules of its own engine or verdict and not those of every other.  What a group costs grows with
the rules in it times the facts told to it; a group is told only what its rules read.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from schemas.recommendation import FactValue

from .conditions import Condition

MAX_MATCHES = 60
"""Tests of one fact that may hold at once in a shard; the engine keeps 64 and then evaluates none."""

MAX_RULES = 200
"""Rules in a shard, all of which test the fact's type; 256 rules on one test crash the process."""

MAX_ALTERNATIVES = 250
"""Values that rules of a shard may tell apart at one place; beyond 511 the engine never ends loading them."""

_MAX_GATED_FACTS = 3
"""Facts that gates look at; each adds a session of the engine to every evaluation."""

_MAX_GATE_VALUES = 64
"""Values of a gated fact; each has shards of its own."""

_MIN_SPARED = 4
"""Rules that gates on a fact must keep from being evaluated to be worth a session of the engine."""

Rules = Mapping[str, tuple[Condition, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a fact must be for a shard's rules to be able to fire."""

    fact: str
    values: frozenset[FactValue]
    is_open: bool = True
    """Whether it must be one of the values, or none of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Rules that are evaluated together."""

    gate: Gate | None
    """None where they are always evaluated."""
    rules: dict[str, tuple[Condition, ...]]

    def admits(self, facts: Mapping[str, FactValue]) -> bool:
        """Whether its rules could fire on ``facts``."""
        gate = self.gate
        return gate is None or (facts[gate.fact] in gate.values) is gate.is_open


def shards_of(rules: Rules) -> list[Shard]:
    """``rules`` in shards; one whose gate names several values is in a shard of each.

    Every shard stays within the engine's bounds whatever fact it meets.
    """
    shards: list[Shard] = []
    gated: list[Shard] = []
    left = dict(sorted(rules.items()))
    for _ in range(_MAX_GATED_FACTS):
        fact = _most_telling(left)
        if fact is None:
            break
        shards += gated
        gated = _behind_gates(left, fact)
        left = {rule: conditions for rule, conditions in left.items() if not _needed(conditions, fact)}
    return [*shards, *_with_the_ungated(gated, left)]


def _behind_gates(rules: Rules, fact: str) -> list[Shard]:
    """Those of ``rules`` that need a value of ``fact``, in shards for each value."""
    gated: dict[FactValue, dict[str, tuple[Condition, ...]]] = defaultdict(dict)
    for rule, conditions in rules.items():
        for value in _needed(conditions, fact):
            gated[value][rule] = conditions
    return [
        Shard(gate=Gate(fact=fact, values=frozenset({value})), rules=part)
        for value, group in sorted(gated.items(), key=str)
        for part in _within_bounds(group)
    ]


def _with_the_ungated(gated: list[Shard], rules: Rules) -> list[Shard]:
    """Shards behind the gates of one fact, and the ``rules`` without a gate.

    Where they find room there, those are in the shard of each value, and once more for all other values: a fact then
    meets one shard instead of two.
    """
    apart = [Shard(gate=None, rules=part) for part in _within_bounds(rules)]
    joined = [_within_bounds(dict(sorted({**shard.rules, **rules}.items()))) for shard in gated]
    gates = [shard.gate for shard in gated if shard.gate]
    is_roomy = len(apart) == 1 and len(set(gates)) == len(gates) and all(len(parts) == 1 for parts in joined)
    if not gates or not is_roomy:
        return [*gated, *apart]
    values = frozenset[FactValue]().union(*(gate.values for gate in gates))
    others = Gate(fact=gates[0].fact, values=values, is_open=False)
    return [
        *(Shard(gate=gate, rules=part) for gate, (part,) in zip(gates, joined, strict=True)),
        Shard(gate=others, rules=dict(rules)),
    ]


def ordered(conditions: Iterable[Condition]) -> list[Condition]:
    """Equalities first, in one order for all rules: tests that rules share are then made once."""
    return sorted(conditions, key=lambda each: (each.operator != "eq", each.operator != "in", each.fact))


def _most_telling(rules: Rules) -> str | None:
    """The fact whose gates keep the most rules from every evaluation; None when none is worth it."""
    by_value: dict[str, Counter[FactValue]] = defaultdict(Counter)
    for conditions in rules.values():
        for fact in {each.fact for each in conditions}:
            by_value[fact].update(_needed(conditions, fact))
    spared = {
        fact: sum(bool(_needed(conditions, fact)) for conditions in rules.values()) - max(counts.values(), default=0)
        for fact, counts in by_value.items()
        if len(counts) <= _MAX_GATE_VALUES
    }
    best = min(spared, key=lambda fact: (-spared[fact], fact), default=None)
    return best if best is not None and spared[best] >= _MIN_SPARED else None


def _needed(conditions: Iterable[Condition], fact: str) -> tuple[FactValue, ...]:
    """The values one of which ``fact`` must have for all ``conditions`` to hold; empty when it may have others."""
    for each in conditions:
        if each.fact == fact and each.operator == "eq" and isinstance(each.operand, str | int):
            return (each.operand,)
        if each.fact == fact and each.operator == "in" and isinstance(each.operand, tuple):
            return each.operand
    return ()


def _within_bounds(rules: Rules) -> list[dict[str, tuple[Condition, ...]]]:
    groups: list[dict[str, tuple[Condition, ...]]] = []
    tree = _Tree()
    for rule, conditions in rules.items():
        tree.plant(_path(rule, conditions))
        if not groups or len(groups[-1]) >= MAX_RULES or not tree.is_within_bounds():
            groups.append({})
            tree = _Tree()
            tree.plant(_path(rule, conditions))
        groups[-1][rule] = conditions
    return groups


@dataclass(frozen=True, slots=True)
class _Test:
    """One test as the engine lays it out; equal tests after the same tests are made once."""

    key: str
    excludes: str = ""
    """The fact of a plain equality: of several with different values only one can hold."""
    alternatives: int = 1
    """Values told apart at this place."""


def _path(rule: str, conditions: Iterable[Condition]) -> list[_Test]:
    """The tests of a rule, in order; only plain equalities are known to be shared or to exclude."""
    path: list[_Test] = []
    for condition in ordered(conditions):
        own = f"{rule}:{len(path)}"
        operand = condition.operand
        if condition.operator == "eq":
            path.append(_Test(f"{condition.fact}={operand!r}", excludes=condition.fact))
        elif condition.operator == "in" and isinstance(operand, tuple):
            path += [_Test(own, alternatives=len(operand)), _Test(f"{own}:branch")]
        else:
            several = operand if isinstance(operand, tuple) else (operand,)
            path += [_Test(f"{own}:{place}") for place, _ in enumerate(several)]
    return path


class _Tree:
    """The tests of a shard, each below those that come before it."""

    def __init__(self) -> None:
        self.below: dict[_Test, _Tree] = {}

    def plant(self, path: Iterable[_Test]) -> None:
        """Adds the tests of a rule."""
        tree = self
        for test in path:
            tree = tree.below.setdefault(test, _Tree())

    def is_within_bounds(self) -> bool:
        """Whether the engine can load and evaluate it."""
        return self.most_matches() <= MAX_MATCHES and self.most_alternatives() <= MAX_ALTERNATIVES

    def most_matches(self) -> int:
        """A bound on the tests that hold at once: of equalities of one fact, the heaviest alone."""
        total = 0
        heaviest: Counter[str] = Counter()
        for test, tree in self.below.items():
            weight = 1 + tree.most_matches()
            if test.excludes:
                heaviest[test.excludes] = max(heaviest[test.excludes], weight)
            else:
                total += weight
        return total + heaviest.total()

    def most_alternatives(self) -> int:
        """The values told apart at one place."""
        here = sum(test.alternatives for test in self.below)
        return max([here, *(tree.most_alternatives() for tree in self.below.values())])
