"""What a rule is, as its file spells it and as it is used."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from schemas.closed import Closed
from schemas.recommendation import FactValue, Finding
from schemas.vocabulary import FindingLevel, Locale, SupportLevel

from .conditions import Condition
from .facts import PassName
from .message import Template

Subject = Literal["weights", "kv_cache", "engine", "weights_by_hardware", "kv_cache_by_hardware"]
"""What support is concluded for; by hardware is what the GPU alone can do, whatever engine runs on it."""

Effect = Literal["compute+memory", "memory+decode bandwidth", "memory only", "none"]
"""What is gained, most first."""

Sentence = Annotated[str, Field(min_length=1, max_length=1000)]


class MessageFile(Closed):
    """What a rule says, in each language; ``{fact}`` and ``{fact:form}`` stand for facts."""

    en: Sentence
    zh: Sentence


class CaseFile(Closed):
    """Facts for which the rule must fire, or must not; facts left out take their declared default."""

    facts: dict[str, FactValue]
    fires: bool


class Conclusion(Closed):
    """What a support rule concludes."""

    subjects: Annotated[list[Subject], Field(min_length=1)]
    level: SupportLevel
    effect: Effect


class RuleFile(Closed):
    """The fields every rule's file has; its id is the file's name."""

    title: Annotated[str, Field(min_length=1, max_length=120)]
    """The fact or fault, in a few words."""
    when: Annotated[dict[str, JsonValue], Field(min_length=1)]
    """Facts and what each must be, all of them."""
    message: MessageFile
    why: Sentence
    """The reason behind the rule, for people who read it."""
    source: Sentence
    """Where it can be checked: document and revision."""
    cases: Annotated[list[CaseFile], Field(min_length=2)]


class SupportRuleFile(RuleFile):
    """A rule of the first pass."""

    conclude: Conclusion


class AdviceRuleFile(RuleFile):
    """A rule of the second pass."""

    level: FindingLevel
    prefer: list[str] = Field(default_factory=list)
    """Weight formats, or kv cache types as ``kv-cache:fp8``, that the rule would rather see."""
    refuses: bool = False
    """Whether the deployment is unsupported where the rule fires, whatever fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where something was written."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A rule's own test."""

    facts: dict[str, FactValue]
    """All facts of the pass, defaults filled in."""
    fires: bool
    origin: Origin


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule, checked and ready to run."""

    id: str
    of: PassName
    title: str
    when: tuple[Condition, ...]
    message: dict[Locale, Template]
    why: str
    source: str
    cases: tuple[Case, ...]
    origin: Origin

    @cached_property
    def facts_read(self) -> tuple[str, ...]:
        """The facts its conditions and its message read, in alphabetical order."""
        read = {name for condition in self.when for name in condition.facts_read}
        return tuple(sorted(read.union(*(template.facts_read for template in self.message.values()))))

    @cached_property
    def findings(self) -> dict[tuple[FactValue, ...], Finding]:
        """What it found, by the language it was said in and the facts it read; kept as long as the rule is."""
        return {}


@dataclass(frozen=True, kw_only=True)
class SupportRule(Rule):
    """A rule that concludes how well something is supported."""

    conclusion: Conclusion

    def tells_of(self, subject: Subject) -> bool:
        """Whether it concludes something for ``subject``."""
        return subject in self.conclusion.subjects


@dataclass(frozen=True, kw_only=True)
class AdviceRule(Rule):
    """A rule that finds something worth saying."""

    level: FindingLevel
    prefer: tuple[str, ...]
    refuses: bool = False
    """Whether a deployment on which it fires is unsupported."""
