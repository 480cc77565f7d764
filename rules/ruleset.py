"""All rules there are, with a version that tells two sets apart."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from pydantic import JsonValue

from .conditions import Condition, OtherFact
from .documented_releases import documented_releases
from .facts import Declared, PassName, declared
from .loader import Defaults, read_defaults, read_rules
from .metadata_facts import MetadataFact
from .rule import AdviceRule, Rule, SupportRule

PACKAGED = Path(__file__).parent
"""Folder of the rules that come with the project: a folder for each pass, and the defaults of cases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """The rules of both passes, in order of their ids."""

    support: tuple[SupportRule, ...]
    advice: tuple[AdviceRule, ...]
    version: str
    """``sha256:`` and the digest of what the rules say, of which releases, whatever order and files they came in."""
    metadata: tuple[MetadataFact, ...] = ()
    """The facts that a site declares over the metadata of requests."""

    def known(self, of: PassName) -> Declared:
        """The facts that rules of a pass may read."""
        told = self.metadata if of == "advice" else ()
        return {**declared(of), **{fact.name: fact.type for fact in told}}

    @property
    def refusing(self) -> tuple[AdviceRule, ...]:
        """The rules that make a deployment unsupported, whatever fits."""
        return tuple(rule for rule in self.advice if rule.refuses)

    @property
    def rules(self) -> tuple[SupportRule | AdviceRule, ...]:
        """Every rule, support first."""
        return (*self.support, *self.advice)


def rule_files(folder: Path) -> list[tuple[PassName, Path]]:
    """The rule files below ``folder``, each with the pass that its first folder names."""
    passes: tuple[PassName, ...] = get_args(PassName)
    found = ((of, path) for of in passes for path in sorted((folder / of).rglob("*.yaml")))
    return [(of, path) for of, path in found if not path.name.startswith(".")]


def load_rule_set(files: Iterable[tuple[PassName, Path]] | None = None) -> RuleSet:
    """The rule set in ``files``, or the packaged one.

    Raises: RuleError naming the file and line at fault.
    """
    return rule_set_of(packaged_rules() if files is None else read_rules(files, packaged_defaults()))


@cache
def packaged_rules() -> tuple[SupportRule | AdviceRule, ...]:
    """The rules that come with the project."""
    return tuple(read_rules(rule_files(PACKAGED), packaged_defaults()))


def packaged_defaults() -> Defaults:
    """What facts are in a case that does not give them."""
    return read_defaults(PACKAGED / "default_facts.yaml")


def rule_set_of(rules: Iterable[SupportRule | AdviceRule], metadata: Iterable[MetadataFact] = ()) -> RuleSet:
    """The set of ``rules``, over our facts and those of ``metadata``."""
    ordered = sorted(rules, key=lambda rule: rule.id)
    told = tuple(sorted(metadata, key=lambda fact: fact.name))
    releases: JsonValue = {name: release.version for name, release in documented_releases().items()}
    said = json.dumps([releases, *map(_said, ordered), *map(_declared, told)], sort_keys=True, ensure_ascii=True)
    return RuleSet(
        support=tuple(rule for rule in ordered if isinstance(rule, SupportRule)),
        advice=tuple(rule for rule in ordered if isinstance(rule, AdviceRule)),
        version=f"sha256:{hashlib.sha256(said.encode()).hexdigest()}",
        metadata=told,
    )


def _said(rule: Rule) -> JsonValue:
    """What moves an answer: not the cases, the title or the file a rule is in."""
    concluded: JsonValue = None
    if isinstance(rule, SupportRule):
        concluded = rule.conclusion.model_dump(mode="json")
    elif isinstance(rule, AdviceRule):
        concluded = [rule.level, rule.refuses, *rule.prefer]
    return {
        "id": rule.id,
        "of": rule.of,
        "when": sorted((_spelt(condition) for condition in rule.when), key=str),
        "message": {locale: template.text for locale, template in rule.message.items()},
        "source": rule.source,
        "concluded": concluded,
    }


def _declared(fact: MetadataFact) -> JsonValue:
    return [fact.name, fact.key, fact.type.kind.__name__, fact.default]


def _spelt(condition: Condition) -> JsonValue:
    operand: JsonValue
    if isinstance(condition.operand, OtherFact):
        operand = {"fact": condition.operand.name}
    elif isinstance(condition.operand, tuple):
        operand = list(condition.operand)
    else:
        operand = condition.operand
    return [condition.fact, condition.operator, operand]
