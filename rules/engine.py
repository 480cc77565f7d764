"""Runs conditions in durable-rules, inside the part of it that was measured to be right.

One fact, one pattern, no joins, no chaining: each rule is a conjunction of tests of a single flat fact, and
every fact also matches a catch-all rule, because deleting a session in which no action ever started frees
memory that was never set.  Nothing but this module imports the library; docs/decisions/0002 has the reasons.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from threading import Lock

import durable_rules_engine  # type: ignore[import-not-found]  # a C extension without types
from pydantic import JsonValue

from schemas.recommendation import FactValue

from .conditions import Condition, OtherFact
from .facts import FactType, PassName, declared
from .limits import MAX_INTEGER, MAX_STRING

_SESSION = "w"
_TYPE = "t"
_SEEN = "_seen"

_ENGINE_OPERATOR = {"ne": "$neq", "not_in": "$neq", "lt": "$lt", "lte": "$lte", "gt": "$gt", "gte": "$gte"}

MAX_MATCHES = 60
"""Tests of one fact that may hold at once in a shard; the engine keeps 64 and then evaluates none."""

MAX_RULES = 200
"""Rules in a shard, all of which test the fact's type; 256 rules on one test crash the process."""

_names = count()
_REMEMBERED = 1024
"""Values of a fact of which it is remembered how they are spelt, and which shards need be asked about them."""

_SPELT: dict[type, Callable[..., str]] = {
    str: lru_cache(_REMEMBERED)(json.JSONEncoder(ensure_ascii=False).encode),
    int: str,
    bool: {False: "false", True: "true"}.__getitem__,
}
"""How a fact of each kind is spelt in JSON; whole numbers are most of them, and need no encoder."""


class EngineError(RuntimeError):
    """The engine did not do what it was told, or was told something it must not be."""


class FactRefusedError(EngineError):
    """A fact is missing, unknown, of the wrong type or out of the engine's bounds."""


class FactLostError(EngineError):
    """The engine took a fact and evaluated no rule on it."""


class RuleEngine:
    """The rules of one pass, ready to be asked which of them fire.

    The library's rule sets are built when first asked, in the process that asks: again after a fork and after
    an error, so that no answer ever comes from a state that another answer left behind.
    """

    def __init__(self, of: PassName, rules: Mapping[str, tuple[Condition, ...]]) -> None:
        self._type = of
        self._read = _facts_read(rules.values(), declared(of))
        shards = shards_of(rules)
        self._shards = [_Shard.of(of, shard) for shard in shards]
        self._gates = [_gate(shard) for shard in shards]
        self._built = _Built(pid=-1, handles=())

    def fired(self, facts: Sequence[Mapping[str, FactValue]]) -> list[frozenset[str]]:
        """The ids of the rules that fire on each of ``facts``.

        Raises: EngineError.
        """
        for each in facts:
            self._check(each)
        found: list[set[str]] = [set() for _ in facts]
        built = self._built_here()
        with built.lock:
            try:
                for shard, places in self._asked(facts).items():
                    texts = [self._shards[shard].told(place, facts[place]) for place in places]
                    for place, rules in zip(places, _run(built.handles[shard], texts), strict=True):
                        found[place] |= rules
            except BaseException:
                # Its sessions cannot be trusted: leave them, and build anew for whoever asks next.
                self._built = _Built(pid=-1, handles=())
                raise
        return [frozenset(rules) for rules in found]

    def _built_here(self) -> "_Built":
        built = self._built
        if built.pid != os.getpid():
            handles = tuple(
                durable_rules_engine.create_ruleset(f"{self._type}-{next(_names)}", shard.definition)
                for shard in self._shards
            )
            built = self._built = _Built(pid=os.getpid(), handles=handles)
        return built

    def _asked(self, facts: Sequence[Mapping[str, FactValue]]) -> dict[int, list[int]]:
        """The shards to ask, each with the places of the facts that their first conditions do not rule out."""
        asked: dict[int, list[int]] = {}
        for place, each in enumerate(facts):
            for shard, (first, opens) in enumerate(self._gates):
                if opens is None or opens(each[first]):
                    asked.setdefault(shard, []).append(place)
        return asked

    def _check(self, facts: Mapping[str, FactValue]) -> None:
        """Whether every fact that any rule reads is there, of its type and within the engine's bounds.

        Raises: FactRefusedError.
        """
        for name, kind in self._read.items():
            value = facts.get(name)
            if type(value) is not kind.kind:
                raise FactRefusedError(f"{name}: {value!r} is not of its declared type")
            if isinstance(value, str):
                if len(value) > MAX_STRING:
                    raise FactRefusedError(f"{name}: a string of {len(value)} characters")
            elif not -MAX_INTEGER <= value <= MAX_INTEGER:
                raise FactRefusedError(f"{name}: {value} is beyond {MAX_INTEGER}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shard:
    """Rules that the library holds together."""

    definition: str
    reads: tuple[tuple[str, Callable[..., str]], ...]
    """The facts its rules read, each with what spells it in JSON."""
    form: str
    """What is told to it, with places for the facts it reads."""

    @staticmethod
    def of(pass_name: PassName, rules: Mapping[str, tuple[Condition, ...]]) -> "_Shard":
        read = _facts_read(rules.values(), declared(pass_name))
        members = ",".join(f'"{name}":%s' for name in read)
        return _Shard(
            definition=json.dumps(_definition(pass_name, rules), ensure_ascii=False),
            reads=tuple((name, _SPELT[fact.kind]) for name, fact in read.items()),
            form=f'{{"{_TYPE}":"{pass_name}","sid":"{_SESSION}","id":"f%d",{members}}}',
        )

    def told(self, place: int, facts: Mapping[str, FactValue]) -> str:
        """The facts at ``place`` as the library reads them, as far as its rules do."""
        return self.form % (place, *[spell(facts[name]) for name, spell in self.reads])


def _gate(rules: Mapping[str, tuple[Condition, ...]]) -> tuple[str, Callable[[FactValue], bool] | None]:
    """The fact that the first conditions of ``rules`` are about, and whether any of them holds of a value.

    Nothing tells where it takes another fact too.
    """
    first = tuple({conditions[0]: None for conditions in rules.values()})
    fact = first[0].fact
    if any(isinstance(condition.operand, OtherFact) for condition in first):
        return fact, None
    return fact, lru_cache(_REMEMBERED)(lambda value: any(condition.holds({fact: value}) for condition in first))


@dataclass(frozen=True, slots=True)
class _Built:
    """The library's rule sets of one process."""

    pid: int
    handles: tuple[int, ...]
    lock: Lock = field(default_factory=Lock)
    """The one session of a rule set holds one evaluation at a time."""


def _run(handle: int, texts: Sequence[str]) -> list[set[str]]:
    """Ids fired by each fact, each on its own in the shard's session."""
    fired: list[set[str]] = []
    has_acted = False
    try:
        for text in texts:
            code, state = durable_rules_engine.assert_fact(handle, text)
            if code:
                raise FactRefusedError(f"the engine answered {code} to a fact")
            rules: set[str] = set()
            started = durable_rules_engine.start_action_for_state(handle, state)
            message = started[1] if started else None
            while message:
                has_acted = True
                # '{"RULE": ...}': ids hold no character that JSON escapes.
                rules.add(message[2 : message.index('"', 2)])
                message = durable_rules_engine.complete_and_start_action(handle, state)
            if _SEEN not in rules:
                raise FactLostError("a fact matched no rule, not even the one that matches all")
            rules.remove(_SEEN)
            fired.append(rules)
    finally:
        if has_acted:
            durable_rules_engine.delete_state(handle, _SESSION)
    return fired


def _facts_read(rules: Iterable[tuple[Condition, ...]], known: Mapping[str, FactType]) -> dict[str, FactType]:
    read = {name for conditions in rules for condition in conditions for name in condition.facts_read}
    return {name: known[name] for name in sorted(read)}


def _definition(of: PassName, rules: Mapping[str, tuple[Condition, ...]]) -> JsonValue:
    definition: dict[str, JsonValue] = {
        rule: {"all": [{"f": {"$and": [{_TYPE: of}, *_tests(conditions)]}}]} for rule, conditions in rules.items()
    }
    definition[_SEEN] = {"all": [{"f": {"$ex": {_TYPE: 1}}}]}
    return definition


def _tests(conditions: tuple[Condition, ...]) -> list[JsonValue]:
    return [test for condition in _ordered(conditions) for test in _test(condition)]


def _test(condition: Condition) -> list[JsonValue]:
    """The engine's spelling: one key a test, since it reads only the first of several."""
    fact, operand = condition.fact, condition.operand
    if isinstance(operand, OtherFact):
        return [{_ENGINE_OPERATOR[condition.operator]: {fact: {"$m": operand.name}}}]
    operands = operand if isinstance(operand, tuple) else (operand,)
    if condition.operator in _ENGINE_OPERATOR:
        operator = _ENGINE_OPERATOR[condition.operator]
        return [{operator: {fact: value}} for value in operands]
    equal: list[JsonValue] = [{fact: value} for value in operands]
    return [{"$or": equal}] if len(equal) > 1 else equal


def _ordered(conditions: tuple[Condition, ...]) -> list[Condition]:
    """Equalities first, in one order for all rules: tests that rules share are then made once."""
    return sorted(conditions, key=lambda each: (each.operator != "eq", each.operator != "in", each.fact))


_Tree = dict[str, "_Tree"]


def shards_of(rules: Mapping[str, tuple[Condition, ...]]) -> list[dict[str, tuple[Condition, ...]]]:
    """The rules in groups that stay within the engine's bounds whatever fact they meet.

    The first conditions of a group's rules are about one fact, so that a fact of which none of them holds need not
    be told to it: asking costs time for each group, and most groups have nothing to say.
    """
    groups: dict[str, dict[str, tuple[Condition, ...]]] = {}
    for rule, conditions in sorted(rules.items()):
        groups.setdefault(conditions[0].fact, {})[rule] = conditions
    return [shard for _, group in sorted(groups.items()) for shard in _within_bounds(group)]


def _within_bounds(rules: Mapping[str, tuple[Condition, ...]]) -> list[dict[str, tuple[Condition, ...]]]:
    shards: list[dict[str, tuple[Condition, ...]]] = [{}]
    tree: _Tree = {}
    for rule, conditions in rules.items():
        path = _path(rule, conditions)
        _plant(tree, path)
        if shards[-1] and (len(shards[-1]) >= MAX_RULES or _most_matches(tree) > MAX_MATCHES):
            shards.append({})
            tree = {}
            _plant(tree, path)
        shards[-1][rule] = conditions
    return shards


def _path(rule: str, conditions: tuple[Condition, ...]) -> list[str]:
    """The tests of a rule as keys of a tree; only plain equalities are known to be shared or to exclude."""
    keys = []
    for condition in _ordered(conditions):
        if condition.operator == "eq":
            keys.append(f"={condition.fact}={condition.operand!r}")
        else:
            # Of the equalities a list stands for one holds at most, and the branch to it is a test of its own.
            tests = 2 if condition.operator == "in" else len(_test(condition))
            keys += [f"{rule}:{len(keys)}:{place}" for place in range(tests)]
    return keys


def _plant(tree: _Tree, path: list[str]) -> None:
    for key in path:
        tree = tree.setdefault(key, {})


def _most_matches(tree: _Tree) -> int:
    """A bound on the tests of ``tree`` that hold at once: of equalities of one fact, the heaviest alone."""
    total = 0
    heaviest: dict[str, int] = {}
    for key, below in tree.items():
        weight = 1 + _most_matches(below)
        if key.startswith("="):
            fact = key[1:].partition("=")[0]
            heaviest[fact] = max(heaviest.get(fact, 0), weight)
        else:
            total += weight
    return total + sum(heaviest.values())
