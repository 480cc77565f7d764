"""Runs conditions in durable-rules, inside the part of it that was measured to be right.

One fact, one pattern, no joins, no chaining: each rule is a conjunction of tests of a single flat fact, and
every fact also matches a catch-all rule, because deleting a session in which no action ever started frees
memory that was never set.  Nothing but this module imports the library; docs/decisions/0002 has the reasons.
"""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from threading import Lock

import durable_rules_engine  # type: ignore[import-not-found]  # a C extension without types
from pydantic import JsonValue

from schemas.recommendation import FactValue

from .conditions import Condition, OtherFact
from .facts import Declared, PassName, declared
from .limits import MAX_INTEGER, unfit_string
from .shards import Shard, ordered, shards_of

_SESSION = "w"
_TYPE = "t"
_SEEN = "_seen"

_ENGINE_OPERATOR = {"ne": "$neq", "not_in": "$neq", "lt": "$lt", "lte": "$lte", "gt": "$gt", "gte": "$gte"}

_MAX_FACTS = 256
"""Facts told to one session: it knows them by a hash of 32 bit, of which many facts would share one."""

_STRINGS_REMEMBERED = 4096
"""Facts that are strings are mostly names of the catalogue."""

_names = count()
_quoted = json.encoder.encode_basestring


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

    def __init__(self, of: PassName, rules: Mapping[str, tuple[Condition, ...]], known: Declared | None = None) -> None:
        read = _facts_read(rules.values(), declared(of) if known is None else known)
        self._read = list(read)
        self._kinds = [fact.kind for fact in read.values()]
        self._shards = [_Loaded.of(of, shard) for shard in shards_of(rules)]
        self._built = _Built(pid=-1, handles=())

    @property
    def shards(self) -> list[Shard]:
        """The rules as they are evaluated together."""
        return [loaded.shard for loaded in self._shards]

    def fired(self, facts: Sequence[Mapping[str, FactValue]]) -> list[frozenset[str]]:
        """The ids of the rules that fire on each of ``facts``.

        Raises: EngineError.
        """
        for each in facts:
            self.check(each)
        fired: list[set[str]] = [set() for _ in facts]
        for place, shard in enumerate(self.shards):
            admitted = [number for number, each in enumerate(facts) if shard.admits(each)]
            for number, ids in zip(admitted, self.fired_in(place, [facts[number] for number in admitted]), strict=True):
                fired[number] |= ids
        return [frozenset(ids) for ids in fired]

    def fired_in(self, place: int, facts: Sequence[Mapping[str, FactValue]]) -> list[frozenset[str]]:
        """The ids of the rules of one of the ``shards`` that fire on each of ``facts``, which it admits.

        Raises: EngineError.
        """
        loaded = self._shards[place]
        texts = [loaded.text(number % _MAX_FACTS, each) for number, each in enumerate(facts)]
        built = self._built_here()
        fired: list[frozenset[str]] = []
        with built.lock:
            try:
                for start in range(0, len(texts), _MAX_FACTS):
                    fired += _run(built.handles[place], texts[start : start + _MAX_FACTS])
            except BaseException:
                # Its sessions cannot be trusted: leave them, and build anew for whoever asks next.
                self._built = _Built(pid=-1, handles=())
                raise
        return fired

    def check(self, facts: Mapping[str, FactValue]) -> None:
        """Sees that every fact that a rule reads is there, and of its declared type.

        Raises: FactRefusedError.
        """
        if [*map(type, map(facts.get, self._read))] != self._kinds:
            for name, kind in zip(self._read, self._kinds, strict=True):
                if type(facts.get(name)) is not kind:
                    raise FactRefusedError(f"{name}: {facts.get(name)!r} is not of its declared type")

    def close(self) -> None:
        """Gives back what the library holds for it in this process; asked again, it is built again."""
        built, self._built = self._built, _Built(pid=-1, handles=())
        if built.pid == os.getpid():
            with built.lock:
                for handle in built.handles:
                    durable_rules_engine.delete_ruleset(handle)

    def _built_here(self) -> "_Built":
        built = self._built
        if built.pid != os.getpid():
            handles = tuple(
                durable_rules_engine.create_ruleset(f"rules-{next(_names)}", loaded.definition)
                for loaded in self._shards
            )
            built = self._built = _Built(pid=os.getpid(), handles=handles)
        return built


def _spelt(name: str, value: FactValue) -> str:
    """A fact's value in JSON."""
    if isinstance(value, str):
        return _spelt_string(name, value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if not -MAX_INTEGER <= value <= MAX_INTEGER:
        raise FactRefusedError(f"{name}: {value} is beyond {MAX_INTEGER}")
    return str(value)


@lru_cache(maxsize=_STRINGS_REMEMBERED)
def _spelt_string(name: str, value: str) -> str:
    if why := unfit_string(value):
        raise FactRefusedError(f"{name}: {why}")
    return _quoted(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loaded:
    """A shard as the library takes it."""

    shard: Shard
    reads: tuple[tuple[str, str], ...]
    """Names of the facts that its rules read, and how each begins in JSON."""
    opening: str
    definition: str

    @classmethod
    def of(cls, of: PassName, shard: Shard) -> "_Loaded":
        read = {name for conditions in shard.rules.values() for each in conditions for name in each.facts_read}
        return cls(
            shard=shard,
            reads=tuple((name, f'"{name}":') for name in sorted(read)),
            opening=f'"{_TYPE}":"{of}","sid":"{_SESSION}","id":"f',
            definition=json.dumps(_definition(of, shard.rules), ensure_ascii=False),
        )

    def text(self, number: int, facts: Mapping[str, FactValue]) -> str:
        """A fact as the shard is told it: what its rules read, since every property told costs time."""
        members = [f'{self.opening}{number}"', *[start + _spelt(name, facts[name]) for name, start in self.reads]]
        return f"{{{','.join(members)}}}"


@dataclass(frozen=True, slots=True)
class _Built:
    """The library's rule sets of one process."""

    pid: int
    handles: tuple[int, ...]
    lock: Lock = field(default_factory=Lock)
    """The one session of a rule set holds one evaluation at a time."""


def _run(handle: int, texts: Sequence[str]) -> list[frozenset[str]]:
    """Ids fired by each fact, each on its own in the shard's session."""
    fired: list[frozenset[str]] = []
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
            fired.append(frozenset(rules))
    finally:
        if has_acted:
            durable_rules_engine.delete_state(handle, _SESSION)
    return fired


def _facts_read(rules: Iterable[tuple[Condition, ...]], known: Declared) -> Declared:
    read = {name for conditions in rules for condition in conditions for name in condition.facts_read}
    return {name: known[name] for name in sorted(read)}


def _definition(of: PassName, rules: Mapping[str, tuple[Condition, ...]]) -> JsonValue:
    definition: dict[str, JsonValue] = {
        rule: {"all": [{"f": {"$and": [{_TYPE: of}, *_tests(conditions)]}}]} for rule, conditions in rules.items()
    }
    definition[_SEEN] = {"all": [{"f": {"$ex": {_TYPE: 1}}}]}
    return definition


def _tests(conditions: tuple[Condition, ...]) -> list[JsonValue]:
    return [test for condition in ordered(conditions) for test in _test(condition)]


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
