"""Rules from their files, checked so that nothing in them can mean anything else than it says."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypedDict, TypeVar, cast, get_args

from pydantic import JsonValue, ValidationError

from schemas.closed import Closed
from schemas.recommendation import FactValue
from schemas.vocabulary import KV_CACHE_DTYPES, WEIGHT_FORMATS, Locale

from .condition_parser import ConditionError, nearest, parse_conditions
from .conditions import Condition
from .facts import KNOWN_LATE, Declared, FactType, PassName, declared
from .limits import beyond_limits
from .lined_yaml import Lined, YamlError, read_lined
from .message import MessageError, Template, parse_template
from .metadata_facts import MetadataFact
from .rule import AdviceRule, AdviceRuleFile, Case, Origin, RuleFile, SupportRule, SupportRuleFile

MAX_FILE_BYTES = 65_536
MAX_ID_LENGTH = 64

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)+\Z")

LOCALES: tuple[Locale, ...] = get_args(Locale)

PREFERENCES: tuple[str, ...] = (*WEIGHT_FORMATS, *(f"kv-cache:{dtype}" for dtype in KV_CACHE_DTYPES))
"""What a rule can prefer."""

Defaults = Mapping[PassName, Mapping[str, FactValue]]
"""What facts are in a case that does not give them."""


_Shape = TypeVar("_Shape", bound=Closed)


class _Common(TypedDict):
    """The fields rules of both passes have."""

    id: str
    of: PassName
    title: str
    when: tuple[Condition, ...]
    message: dict[Locale, Template]
    why: str
    source: str
    cases: tuple[Case, ...]
    origin: Origin


class RuleError(ValueError):
    """A rule file says something that cannot be meant."""

    def __init__(self, origin: Origin, message: str) -> None:
        super().__init__(f"{origin}: {message}")
        self.origin = origin
        self.message = message


def read_rules(
    files: Iterable[tuple[PassName, Path]], defaults: Defaults, metadata: Iterable[MetadataFact] = ()
) -> list[SupportRule | AdviceRule]:
    """The rules in ``files``, each file one rule named as its file is.

    Rules of the advice pass may read the facts of ``metadata`` too.

    Raises: RuleError.
    """
    told = tuple(metadata)
    rules: dict[str, SupportRule | AdviceRule] = {}
    for of, path in files:
        rule = read_rule(of, path, defaults[of], told if of == "advice" else ())
        if rule.id in rules:
            raise RuleError(rule.origin, f"{rules[rule.id].origin.file} has the same name; ids are unique")
        rules[rule.id] = rule
    return list(rules.values())


def read_rule(
    of: PassName, path: Path, defaults: Mapping[str, FactValue], metadata: Iterable[MetadataFact] = ()
) -> SupportRule | AdviceRule:
    """The rule in the file at ``path``.

    Raises: RuleError.
    """
    told = tuple(metadata)
    known = {**declared(of), **{fact.name: fact.type for fact in told}}
    return _RuleReader(of, path, known, {**defaults, **{fact.name: fact.default for fact in told}}).rule()


def read_defaults(path: Path) -> Defaults:
    """What facts are in a case that does not give them, for both passes, from the file at ``path``.

    Raises: RuleError when a fact is missing, unknown or of the wrong type.
    """
    lined = read_file(path)
    found: dict[PassName, Mapping[str, FactValue]] = {}
    for of in get_args(PassName):
        given = lined.value.get(of)
        if not isinstance(given, dict):
            raise RuleError(Origin(file=path, line=lined.line_of(())), f"{of}: a mapping of facts is missing")
        found[of] = _checked_facts(given, declared(of), lined, path, (of,))
        if missing := [name for name in declared(of) if name not in given]:
            origin = Origin(file=path, line=lined.line_of((of,)))
            raise RuleError(origin, f"{of}: no default for {missing[0]}")
    return found


def is_rule_id(name: str) -> bool:
    """Whether ``name`` is a statement in kebab case."""
    return bool(_ID.match(name)) and len(name) <= MAX_ID_LENGTH


class _RuleReader:
    """Reads one file, knowing where everything in it stands."""

    def __init__(self, of: PassName, path: Path, known: Declared, defaults: Mapping[str, FactValue]) -> None:
        self._of = of
        self._path = path
        self._defaults = defaults
        self._declared = known
        self._lined = read_file(path)

    def rule(self) -> SupportRule | AdviceRule:
        if not is_rule_id(self._path.stem):
            raise self._error((), f"the file name {self._path.stem!r} is not a statement in kebab-case")
        if self._of == "support":
            of_support = shaped(SupportRuleFile, self._lined, self._path)
            return SupportRule(**self._common(of_support), conclusion=of_support.conclude)
        of_advice = shaped(AdviceRuleFile, self._lined, self._path)
        for place, preference in enumerate(of_advice.prefer):
            if preference not in PREFERENCES:
                hint = nearest(preference, PREFERENCES)
                raise self._error(("prefer", place), f"{preference!r} cannot be preferred{hint}")
        rule = AdviceRule(
            **self._common(of_advice),
            level=of_advice.level,
            prefer=tuple(of_advice.prefer),
            refuses=of_advice.refuses,
        )
        if rule.refuses and rule.level != "error":
            raise self._error(("level",), "a rule that refuses is of level error")
        for condition in rule.when if rule.refuses else ():
            if late := [name for name in condition.facts_read if name in KNOWN_LATE]:
                text = f"{late[0]} is known only after others were weighed; a rule that refuses cannot read it"
                raise self._error(("when", condition.fact), text)
        return rule

    def _common(self, file: RuleFile) -> _Common:
        when = self._conditions(file.when)
        return {
            "id": self._path.stem,
            "of": self._of,
            "title": file.title,
            "when": when,
            "message": self._message(file),
            "why": file.why,
            "source": file.source,
            "cases": self._cases(file),
            "origin": Origin(file=self._path, line=1),
        }

    def _conditions(self, when: Mapping[str, JsonValue]) -> tuple[Condition, ...]:
        try:
            conditions = parse_conditions(when, self._declared)
        except ConditionError as error:
            raise self._error(("when", *error.path), str(error)) from None
        for condition in conditions:
            operands = condition.operand if isinstance(condition.operand, tuple) else (condition.operand,)
            for operand in operands:
                if isinstance(operand, (str, int)) and (refusal := beyond_limits(operand)):
                    raise self._error(("when", condition.fact), f"{condition.fact}: {refusal}")
        return conditions

    def _message(self, file: RuleFile) -> dict[Locale, Template]:
        templates: dict[Locale, Template] = {}
        for locale in LOCALES:
            try:
                templates[locale] = parse_template(getattr(file.message, locale), self._declared)
            except MessageError as error:
                raise self._error(("message", locale), f"message.{locale}: {error}") from None
        english, other = (templates[locale].facts_read for locale in LOCALES)
        if difference := sorted(english ^ other):
            raise self._error(("message",), f"only one language of the message shows {difference[0]}")
        return templates

    def _cases(self, file: RuleFile) -> tuple[Case, ...]:
        if {case.fires for case in file.cases} != {True, False}:
            raise self._error(("cases",), "cases: at least one must fire, and one must not")
        return tuple(
            Case(
                facts={
                    **self._defaults,
                    **_checked_facts(case.facts, self._declared, self._lined, self._path, ("cases", place, "facts")),
                },
                fires=case.fires,
                origin=Origin(file=self._path, line=self._lined.line_of(("cases", place))),
            )
            for place, case in enumerate(file.cases)
        )

    def _error(self, path: tuple[str | int, ...], message: str) -> RuleError:
        return RuleError(Origin(file=self._path, line=self._lined.line_of(path)), message)


def shaped(shape: type[_Shape], lined: Lined, path: Path) -> _Shape:
    """What was read from the file at ``path`` as one of ``shape``.

    Raises: RuleError.
    """
    try:
        return shape.model_validate(lined.value)
    except ValidationError as error:
        # A misspelt field is missing too: what is said wrongly explains more than what is not said.
        details = error.errors(include_url=False)
        detail = next((each for each in details if each["type"] == "extra_forbidden"), details[0])
    name = ".".join(str(part) for part in detail["loc"])
    text = f"{name}: {detail['msg']}"
    if detail["type"] == "extra_forbidden":
        text = f"there is no field {name!r}{nearest(str(detail['loc'][-1]), shape.model_fields)}"
    elif detail["type"] == "missing":
        text = f"the field {name!r} is missing"
    raise RuleError(Origin(file=path, line=lined.line_of(detail["loc"])), text)


def read_file(path: Path) -> Lined:
    """The mapping in the small YAML file at ``path``.

    Raises: RuleError.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RuleError(Origin(file=path, line=1), f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_FILE_BYTES:
        size = f"is {len(data)} bytes, more than {MAX_FILE_BYTES}"
        raise RuleError(Origin(file=path, line=1), size)
    try:
        return read_lined(data.decode())
    except UnicodeDecodeError:
        raise RuleError(Origin(file=path, line=1), "is not UTF-8") from None
    except YamlError as error:
        raise RuleError(Origin(file=path, line=error.line), str(error)) from None


def _checked_facts(
    given: Mapping[str, JsonValue],
    known: Mapping[str, FactType],
    lined: Lined,
    path: Path,
    where: tuple[str | int, ...],
) -> dict[str, FactValue]:
    for name, value in given.items():
        origin = Origin(file=path, line=lined.line_of((*where, name)))
        if name not in known:
            raise RuleError(origin, f"there is no fact {name!r}{nearest(name, known)}")
        if refusal := known[name].refuses(value) or beyond_limits(cast(FactValue, value)):
            raise RuleError(origin, f"{name}: {refusal}")
    return cast(dict[str, FactValue], dict(given))
